//! The room of the model: how much everybody holds of it, so that nobody takes the share of others.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// A plugin holds at most one part in so many of all paths and bytes, and of all sources and contexts.
pub(super) const SHARE: u32 = 4;
/// Bytes that a path takes beside its own text: the entry in the map and the node, on a 64-bit machine.
const NODE_BYTES: usize = 80;

/// Why an entry was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The model is full; another context could make room.
    Model,
    /// Who writes holds his share already, or all plugins theirs.
    Share,
    /// The entry can never be kept.
    Entry,
}

/// Who sent something: the boat (inputs, clients, the gateway itself) or a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner(u8);

impl Owner {
    /// Inputs, clients, and the gateway itself.
    pub(super) const BOAT: Self = Self(0);
}

/// What an owner holds of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Paths that it told first, over all contexts.
    pub paths: u32,
    /// Bytes of its values, meta and sources, and of these paths.
    pub bytes: u64,
    /// What was not kept since it holds its share, or all plugins theirs.
    pub refused: u64,
}

/// Limits and use of all contexts together.
#[derive(Debug)]
pub(super) struct Room {
    paths_max: u32,
    bytes_max: u64,
    boat: Held,
    /// Plugins, from number 1 on; one without a name is none.
    plugins: Vec<(Option<Arc<str>>, Held)>,
    /// Who writes now.
    pub(super) writer: Owner,
}

impl Room {
    pub(super) fn new(paths_max: u32, bytes_max: u32) -> Self {
        Self {
            paths_max,
            bytes_max: u64::from(bytes_max),
            boat: Held::default(),
            plugins: Vec::new(),
            writer: Owner::BOAT,
        }
    }

    /// Returns how many paths everybody holds together.
    pub(super) fn paths(&self) -> u32 {
        self.plugins.iter().map(|(_, held)| held.paths).fold(self.boat.paths, u32::saturating_add)
    }

    /// Returns how many bytes everybody holds together.
    pub(super) fn bytes(&self) -> u64 {
        self.plugins.iter().map(|(_, held)| held.bytes).fold(self.boat.bytes, u64::saturating_add)
    }

    #[cfg(test)]
    pub(super) fn of_boat(&self) -> Held {
        self.boat
    }

    /// Finds or makes the owner of a package; those beyond 255 share the last number.
    pub(super) fn owner(&mut self, package: &Arc<str>) -> Owner {
        let mut plugins = self.plugins.iter();
        let known = plugins.position(|(name, _)| name.as_deref() == Some(&**package));
        let index = known.or_else(|| self.plugins.iter().position(|(name, _)| name.is_none()));
        let index = index.unwrap_or(self.plugins.len()).min(usize::from(u8::MAX) - 1);
        match self.plugins.get_mut(index) {
            Some((name, _)) => drop(name.get_or_insert_with(|| package.clone())),
            None => self.plugins.push((Some(package.clone()), Held::default())),
        }
        Owner(u8::try_from(index.saturating_add(1)).unwrap_or(u8::MAX))
    }

    /// Returns the owners whose packages are not among those that are there, and lets their numbers be used again;
    /// what they hold has to be given back.
    pub(super) fn absent(&mut self, is_there: impl Fn(&str) -> bool) -> Vec<Owner> {
        let mut gone = Vec::new();
        for (number, (name, held)) in (1..=u8::MAX).zip(&mut self.plugins) {
            if name.as_deref().is_some_and(|name| !is_there(name)) {
                *name = None;
                held.refused = 0;
                gone.push(Owner(number));
            }
        }
        gone
    }

    /// Returns what a package holds.
    pub(super) fn held(&self, package: &str) -> Held {
        let found = self.plugins.iter().find(|(name, _)| name.as_deref() == Some(package));
        found.map_or_else(Held::default, |(_, held)| *held)
    }

    /// Tells whether a plugin lost something since it holds its share.
    pub(super) fn is_over_share(&self) -> bool {
        self.plugins.iter().any(|(_, held)| held.refused > 0)
    }

    /// Returns the paths and bytes that a plugin may hold.
    pub(super) fn share(&self) -> (u32, u64) {
        (self.paths_max / SHARE, self.bytes_max / u64::from(SHARE))
    }

    /// Counts something of the writer that is not kept since it holds its share.
    pub(super) fn over_share(&mut self) {
        let held = self.of(self.writer);
        held.refused = held.refused.saturating_add(1);
    }

    /// Returns the package of the plugin that writes now; `None` for the boat.
    pub(super) fn package(&self) -> Option<&str> {
        self.package_of(self.writer)
    }

    /// Returns the package of an owner; `None` for the boat.
    pub(super) fn package_of(&self, owner: Owner) -> Option<&str> {
        let (name, _) = self.plugins.get(usize::from(owner.0).checked_sub(1)?)?;
        name.as_deref()
    }

    /// Takes `bytes` more for the writer.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        self.change(self.writer, 0, bytes)
    }

    /// Has the writer hold `after` bytes where `owner` held `before`.
    pub(super) fn change(&mut self, owner: Owner, before: usize, after: usize) -> Result<(), Full> {
        let before = u64::try_from(before).unwrap_or(u64::MAX);
        let after = u64::try_from(after).unwrap_or(u64::MAX);
        if after > self.bytes_max {
            return Err(Full::Entry);
        }
        let total = self.bytes().saturating_sub(before).saturating_add(after);
        if total > self.bytes_max && after > before {
            return Err(Full::Model);
        }
        let is_own = owner == self.writer;
        let grows = !is_own || after > before;
        if self.writer != Owner::BOAT && grows {
            let own = if is_own { before } else { 0 };
            let held = self.of(self.writer).bytes.saturating_sub(own).saturating_add(after);
            let boat = self.of(Owner::BOAT).bytes.saturating_sub(if owner == Owner::BOAT { before } else { 0 });
            self.within(held, total.saturating_sub(boat), self.bytes_max)?;
        }
        self.give(owner, before);
        let held = self.of(self.writer);
        held.bytes = held.bytes.saturating_add(after);
        Ok(())
    }

    /// Refuses a plugin more than its share, and all plugins together what is kept for the boat.
    fn within(&self, of_plugin: u64, of_plugins: u64, max: u64) -> Result<(), Full> {
        let share = max / u64::from(SHARE);
        if of_plugin > share || of_plugins > max.saturating_sub(share) { Err(Full::Share) } else { Ok(()) }
    }

    /// Gives `bytes` of an owner back.
    pub(super) fn give(&mut self, owner: Owner, bytes: u64) {
        let held = self.of(owner);
        held.bytes = held.bytes.saturating_sub(bytes);
    }

    /// Takes a new path for the writer.
    pub(super) fn take_path(&mut self, path: &str) -> Result<(), Full> {
        let paths = self.paths();
        if paths >= self.paths_max {
            return Err(Full::Model);
        }
        if self.writer != Owner::BOAT {
            let (held, boat) = (self.of(self.writer).paths, self.of(Owner::BOAT).paths);
            let (held, others) = (u64::from(held) + 1, u64::from(paths.saturating_sub(boat)) + 1);
            self.within(held, others, u64::from(self.paths_max))?;
        }
        self.take(node_bytes(path))?;
        let held = self.of(self.writer);
        held.paths = held.paths.saturating_add(1);
        Ok(())
    }

    /// Gives a path of an owner back.
    pub(super) fn give_path(&mut self, owner: Owner, path: &str) {
        self.give(owner, node_bytes(path) as u64);
        let held = self.of(owner);
        held.paths = held.paths.saturating_sub(1);
    }

    /// Has another owner hold a path, whose first one is gone.
    pub(super) fn inherit_path(&mut self, from: Owner, to: Owner, path: &str) {
        let paths = &mut self.of(from).paths;
        *paths = paths.saturating_sub(1);
        let paths = &mut self.of(to).paths;
        *paths = paths.saturating_add(1);
        self.inherit(from, to, node_bytes(path) as u64);
    }

    /// Has another owner hold bytes, whatever his share is.
    pub(super) fn inherit(&mut self, from: Owner, to: Owner, bytes: u64) {
        self.give(from, bytes);
        let held = self.of(to);
        held.bytes = held.bytes.saturating_add(bytes);
    }

    fn of(&mut self, owner: Owner) -> &mut Held {
        let plugin = usize::from(owner.0).checked_sub(1).and_then(|index| self.plugins.get_mut(index));
        plugin.map_or(&mut self.boat, |(_, held)| held)
    }
}

fn node_bytes(path: &str) -> usize {
    NODE_BYTES.saturating_add(path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(room: &mut Room, name: &str) -> Owner {
        room.owner(&Arc::from(name))
    }

    #[test]
    fn a_plugin_has_a_quarter_and_all_of_them_leave_one_to_the_boat() {
        let mut room = Room::new(16, 4000);
        for name in ["a", "b", "c", "d"] {
            room.writer = plugin(&mut room, name);
            let taken = (0..10).take_while(|_| room.take_path("x").is_ok()).count();
            assert_eq!(taken, if name == "d" { 0 } else { 4 }, "{name}");
        }
        assert_eq!(room.take(1001), Err(Full::Share));
        room.writer = Owner::BOAT;
        assert!((0..4).all(|_| room.take_path("x").is_ok()));
        assert_eq!(room.take_path("x"), Err(Full::Model));
        assert_eq!((room.held("a").paths, room.held("d").paths, room.paths()), (4, 0, 16));
    }

    #[test]
    fn bytes_change_hands_and_all_are_given_back() {
        let mut room = Room::new(16, 4000);
        room.take(300).unwrap();
        room.writer = plugin(&mut room, "a");
        room.change(Owner::BOAT, 300, 500).unwrap();
        assert_eq!((room.bytes(), room.held("a").bytes), (500, 500));
        assert_eq!(room.change(room.writer, 500, 1001), Err(Full::Share));
        room.change(room.writer, 500, 20).unwrap();
        let gone = room.absent(|_| false);
        room.give(gone[0], 20);
        assert_eq!((room.bytes(), room.held("a")), (0, Held::default()));
        assert_eq!(plugin(&mut room, "b"), gone[0], "the number is used again");
    }

    #[test]
    fn more_plugins_than_numbers_share_the_last() {
        let mut room = Room::new(16, 4000);
        let last = (0..300).map(|number| plugin(&mut room, &std::format!("p{number}"))).last();
        assert_eq!(room.absent(|name| name == "p3").len(), 254);
        assert_eq!(last, Some(Owner(u8::MAX)));
    }
}
