// Why something was lost or left out, in words: the reasons of `drops` of `GET /skiff/v1/status`.
const WORDS: Readonly<Record<string, string>> = {
  can_receive: 'Frames that came faster than the gateway took them from the CAN interface',
  input_receive: 'Records of inputs that came faster than the gateway took them',
  n2k_oversized: 'NMEA 2000: messages longer than the standard allows',
  n2k_no_start: 'NMEA 2000: later parts of a message whose first was not heard',
  n2k_gap: 'NMEA 2000: messages with a part missing',
  n2k_malformed: 'NMEA 2000: frames that are no part of a message',
  n2k_timed_out: 'NMEA 2000: messages whose last part never came',
  n2k_evicted: 'NMEA 2000: messages that made room for others while they came',
  n2k_restarted: 'NMEA 2000: messages that their sender began again',
  n2k_transfer_malformed: 'NMEA 2000: transfers of long messages that cannot be read',
  n2k_transfer_no_start: 'NMEA 2000: transfers whose beginning was not heard',
  n2k_transfer_timed_out: 'NMEA 2000: transfers whose end never came',
  n2k_transfer_evicted: 'NMEA 2000: transfers that made room for others',
  n2k_transfer_restarted: 'NMEA 2000: transfers that their sender began again',
  n2k_transfer_aborted: 'NMEA 2000: transfers that one side ended',
  nmea0183_malformed: 'NMEA 0183: sentences that cannot be read',
  nmea0183_checksum: 'NMEA 0183: sentences with a wrong checksum',
  nmea0183_fragments: 'NMEA 0183: parts of AIS messages whose others never came',
  nmea0183_ais: 'NMEA 0183: AIS messages that cannot be read',
  plugin_queue: 'Deltas that a plugin was too slow for',
  plugin_emitted: 'Deltas of plugins that were more than they may tell',
  plugin_malformed: 'Deltas of plugins that cannot be read',
  plugin_loop: 'Deltas of plugins that answer themselves',
  plugin_frames: 'Frames of plugins that nobody took in time',
  stream_collapsed: 'Values that a slow client got the newest of only',
  stream_frames: 'Frames that a client was too slow for',
  model_refused: 'Values that found no room in the model',
  not_preferred: 'Values of sources that are not preferred',
  requests: 'Requests that came while too many waited',
};

export interface Drop {
  readonly reason: string;
  readonly count: number;
  readonly words: string;
}

/** The reasons that have a count, the largest first. */
export function dropsOf(drops: Readonly<Record<string, number>>): readonly Drop[] {
  return Object.entries(drops)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => ({ reason, count, words: WORDS[reason] ?? reason.replace(/^n2k_forgotten_/, 'NMEA 2000: forgotten for want of room: ').replace(/_/g, ' ') }))
    .sort((one, other) => other.count - one.count);
}
