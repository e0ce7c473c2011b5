//! Rounds: every work gets a turn in each, so that a slow minute of the machine meets all of them.
//!
//! Each round begins with another work, so that none is always the one behind the largest.

use std::time::Instant;

/// What one turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Time it took, nanoseconds.
    pub nanos: u64,
    /// How often it did what is measured: calls, deltas, frames.
    pub units: u64,
}

/// Something to measure: does it `times` times, or so many steps of it.
pub type Work<'w> = Box<dyn FnMut(u32) -> Done + 'w>;

/// How long it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Turns of each work.
    pub rounds: u32,
    /// Time that a turn is to take at least, nanoseconds.
    pub turn_ns: u64,
    /// Time of all turns of a work, nanoseconds; a work that has had it ends after [`ROUNDS_MIN`] turns.
    pub work_ns: u64,
    /// When people have waited long enough: from then on each work has one turn only.
    pub until: Option<Instant>,
}

/// Turns that even a slow work gets.
pub const ROUNDS_MIN: u32 = 5;
/// Most times in one turn.
const TIMES_MAX: u64 = 1_000_000;

impl Plan {
    /// For people who wait.
    pub const FULL: Self = Self { rounds: 11, turn_ns: 15_000_000, work_ns: 1_000_000_000, until: None };
    /// For tests: every row, hardly measured.
    pub const QUICK: Self = Self { rounds: 1, turn_ns: 0, work_ns: 0, until: None };

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Measures all works; returns the samples of each, nanoseconds a unit, a sample a turn.
///
/// `tell` hears after each turn how many of how many turns are done.
pub fn interleaved(works: &mut [Work<'_>], plan: Plan, tell: &mut dyn FnMut(usize, usize)) -> Vec<Vec<f64>> {
    let all = works.len();
    let times: Vec<u32> = works.iter_mut().map(|work| times(work, plan)).collect();
    let mut samples = vec![Vec::new(); all];
    let mut spent = vec![0_u64; all];
    let rounds = plan.rounds.max(1) as usize;
    for round in 0..rounds {
        for turn in 0..all {
            let index = (round + turn) % all;
            tell(round * all + turn, rounds * all);
            let (Some(work), Some(times)) = (works.get_mut(index), times.get(index)) else { continue };
            let (Some(samples), Some(spent)) = (samples.get_mut(index), spent.get_mut(index)) else { continue };
            let had_enough = *spent > plan.work_ns && round >= ROUNDS_MIN as usize;
            if had_enough || (round > 0 && plan.is_over()) {
                continue;
            }
            let done = work(*times);
            *spent = spent.saturating_add(done.nanos);
            #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a turn")]
            if done.units > 0 {
                samples.push(done.nanos as f64 / done.units as f64);
            }
        }
    }
    samples
}

/// Returns how often a work is done in a turn: as often as the turn's time needs. The caches are warm afterwards.
fn times(work: &mut Work<'_>, plan: Plan) -> u32 {
    if plan.turn_ns == 0 || plan.is_over() {
        return 1;
    }
    let mut times = 1_u64;
    loop {
        let nanos = work(u32::try_from(times).unwrap_or(u32::MAX)).nanos;
        // Half of it is measured well enough to be counted up from.
        if nanos.saturating_mul(2) >= plan.turn_ns || times >= TIMES_MAX {
            let wanted = times.saturating_mul(plan.turn_ns) / nanos.max(1);
            return u32::try_from(wanted.clamp(1, TIMES_MAX)).unwrap_or(u32::MAX);
        }
        times = times.saturating_mul(4).min(TIMES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Works that take these nanoseconds for one unit, and write down their turns.
    fn works<'w>(costs: &'w [u64], turns: &'w RefCell<Vec<(usize, u32)>>) -> Vec<Work<'w>> {
        let one = |(index, cost): (usize, &'w u64)| -> Work<'w> {
            Box::new(move |times| {
                turns.borrow_mut().push((index, times));
                Done { nanos: cost * u64::from(times), units: times.into() }
            })
        };
        costs.iter().enumerate().map(one).collect()
    }

    #[test]
    fn each_round_has_a_turn_of_every_work_and_begins_with_another() {
        let turns = RefCell::new(Vec::new());
        let plan = Plan { rounds: 3, turn_ns: 0, work_ns: u64::MAX, until: None };
        let samples = interleaved(&mut works(&[10, 20, 30], &turns), plan, &mut |_, _| {});
        let order: Vec<usize> = turns.borrow().iter().map(|(index, _)| *index).collect();
        assert_eq!(order, [0, 1, 2, 1, 2, 0, 2, 0, 1]);
        assert_eq!(samples, [vec![10.0; 3], vec![20.0; 3], vec![30.0; 3]]);
    }

    #[test]
    fn a_turn_is_as_long_as_asked_for() {
        let turns = RefCell::new(Vec::new());
        let plan = Plan { rounds: 1, turn_ns: 10_000, work_ns: u64::MAX, until: None };
        interleaved(&mut works(&[10, 50_000], &turns), plan, &mut |_, _| {});
        let turns = turns.borrow();
        assert_eq!(turns[turns.len() - 2..], [(0, 1000), (1, 1)]);
    }

    #[test]
    fn a_slow_work_ends_earlier_but_not_before_it_has_some_samples() {
        let turns = RefCell::new(Vec::new());
        let plan = Plan { rounds: 9, turn_ns: 1, work_ns: 100, until: None };
        let samples = interleaved(&mut works(&[1, 1000], &turns), plan, &mut |_, _| {});
        assert_eq!((samples[0].len(), samples[1].len()), (9, ROUNDS_MIN as usize));
    }

    #[test]
    fn who_has_waited_long_enough_gets_one_turn_of_each() {
        let turns = RefCell::new(Vec::new());
        let plan = Plan { rounds: 9, turn_ns: 1_000_000, work_ns: u64::MAX, until: Some(Instant::now()) };
        let samples = interleaved(&mut works(&[1, 1000], &turns), plan, &mut |_, _| {});
        assert_eq!(samples, [vec![1.0], vec![1000.0]]);
        assert_eq!(*turns.borrow(), [(0, 1), (1, 1)]);
    }

    #[test]
    fn progress_counts_turns_and_what_did_nothing_has_no_sample() {
        let mut told = Vec::new();
        let mut works: Vec<Work<'_>> = vec![Box::new(|_| Done { nanos: 5, units: 0 })];
        let plan = Plan { rounds: 2, turn_ns: 0, work_ns: 0, until: None };
        let samples = interleaved(&mut works, plan, &mut |done, all| told.push((done, all)));
        assert_eq!(told, [(0, 2), (1, 2)]);
        assert_eq!(samples, [Vec::<f64>::new()]);
        assert!(interleaved(&mut [], Plan::FULL, &mut |_, _| {}).is_empty());
    }
}
