//! What is said when it is due: probes, announcements, answers.

use core::net::SocketAddr;
use core::time::Duration;

use super::{
    ANNOUNCEMENTS, BETWEEN_ANNOUNCEMENTS, BETWEEN_PROBES, GROUP, MESSAGE_BYTES_MAX, PIECES_MAX, PORT, PROBES,
    Responder, State,
};
use crate::discovery::own::{Form, Records};
use crate::discovery::wire::{Message, Writer, flags};
use crate::hal::Network;
use crate::time::Instant;

impl Responder {
    /// Does what is due.
    pub(super) fn speak(&mut self, network: &mut dyn Network, now: Instant) {
        match self.state {
            State::Probing { sent, at } if now >= at => {
                if sent < PROBES {
                    self.send_probe(network);
                    self.state = State::Probing { sent: sent.saturating_add(1), at: now + BETWEEN_PROBES };
                } else {
                    log::info!("found on the network as {}.local", self.own.host());
                    self.names_taken = 0;
                    self.state = State::Announcing { sent: 0, at: now };
                    self.speak(network, now);
                }
            }
            State::Announcing { sent, at } if now >= at => {
                self.tell_all(network, self.own.told(), now);
                let sent = sent.saturating_add(1);
                self.state = if sent < ANNOUNCEMENTS {
                    State::Announcing { sent, at: now + BETWEEN_ANNOUNCEMENTS }
                } else {
                    State::Known
                };
            }
            State::Announcing { .. } | State::Known => self.answer_waiting(network, now),
            State::Silent | State::Probing { .. } => {}
        }
    }

    fn answer_waiting(&mut self, network: &mut dyn Network, now: Instant) {
        if !self.waiting.iter().any(|waiting| waiting.due <= now) {
            return;
        }
        // Who is not due yet is answered with the others, but for those who may still say what they know.
        let soon = now + Duration::from_millis(120);
        let mut answers = Records::default();
        let told = &self.told;
        self.waiting.retain(|waiting| {
            let is_answered = waiting.due <= soon;
            let is_new = |index: usize| {
                let told = told.get(index).copied().flatten();
                told.is_none_or(|told| now.since(told) >= waiting.told_recently)
            };
            if is_answered {
                answers = answers.with(waiting.answers.filter(is_new));
            }
            !is_answered
        });
        if !answers.is_empty() {
            self.tell_all(network, answers, now);
        }
    }

    fn send_probe(&mut self, network: &mut dyn Network) {
        let mut sending = core::mem::take(&mut self.sending);
        let mut writer = Writer::begin(&mut sending, MESSAGE_BYTES_MAX, 0, 0);
        // Six services and the host have room: names that stand there already take two bytes.
        for index in self.own.claimed().indexes() {
            writer.entry(0, |writer| self.own.ask(index, writer));
        }
        for index in self.own.claimed().indexes() {
            writer.entry(2, |writer| self.own.write(index, Form::Claim, writer));
        }
        self.send(network, writer.message(), group());
        self.sending = sending;
    }

    fn tell_all(&mut self, network: &mut dyn Network, answers: Records, now: Instant) {
        self.tell(network, answers, self.own.next(answers), Form::Multicast);
        for index in answers.indexes() {
            if let Some(told) = self.told.get_mut(index) {
                *told = Some(now);
            }
        }
    }

    pub(super) fn tell(&mut self, network: &mut dyn Network, answers: Records, next: Records, form: Form) {
        self.respond(network, (answers, next), form, group());
    }

    pub(super) fn tell_one(&mut self, network: &mut dyn Network, answers: Records, asker: SocketAddr) {
        self.respond(network, (answers, self.own.next(answers)), Form::Multicast, asker);
    }

    /// Sends answers in as many messages as they take, and in the last of them what is asked next, as far as there is room.
    fn respond(
        &mut self,
        network: &mut dyn Network,
        (mut answers, next): (Records, Records),
        form: Form,
        to: SocketAddr,
    ) {
        let mut sending = core::mem::take(&mut self.sending);
        for _ in 0..PIECES_MAX {
            let mut writer = Writer::begin(&mut sending, MESSAGE_BYTES_MAX, 0, flags::RESPONSE | flags::AUTHORITATIVE);
            let before = answers;
            answers = answers.filter(|index| !writer.entry(1, |writer| self.own.write(index, form, writer)));
            if answers.is_empty() {
                next.indexes().for_each(|index| _ = writer.entry(3, |writer| self.own.write(index, form, writer)));
            }
            // What has no room in an empty message has none at all.
            if answers != before {
                self.send(network, writer.message(), to);
            }
            if answers.is_empty() || answers == before {
                break;
            }
        }
        self.sending = sending;
    }

    /// Answers who asked from another port: as any name server does (RFC 6762 §6.7).
    pub(super) fn answer_legacy(
        &mut self,
        message: &Message<'_>,
        asker: SocketAddr,
        answers: Records,
        network: &mut dyn Network,
    ) {
        if answers.is_empty() {
            return;
        }
        let mut sending = core::mem::take(&mut self.sending);
        let set = flags::RESPONSE | flags::AUTHORITATIVE | message.flags & flags::RECURSION_DESIRED;
        let mut writer = Writer::begin(&mut sending, MESSAGE_BYTES_MAX, message.id, set);
        if !writer.repeat(message) {
            self.sending = sending;
            return;
        }
        for (section, records) in [(1, answers), (3, self.own.next(answers))] {
            for index in records.indexes() {
                writer.entry(section, |writer| self.own.write(index, Form::Legacy, writer));
            }
        }
        self.send(network, writer.message(), asker);
        self.sending = sending;
    }

    fn send(&mut self, network: &mut dyn Network, message: &[u8], to: SocketAddr) {
        self.has_spoken = true;
        // What is lost is asked for again.
        if let Err(error) = network.send_to(self.socket, to, message) {
            log::debug!("multicast DNS: {error}");
        }
    }
}

fn group() -> SocketAddr {
    SocketAddr::new(GROUP.into(), PORT)
}
