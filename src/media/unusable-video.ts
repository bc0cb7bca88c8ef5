/** Why a file cannot be delivered as a video. Fixed codes for the logs, which contain no data of the file. */
export const UNUSABLE_REASONS = [
  'empty',
  'not_a_video',
  'no_video_track',
  'unknown_codec',
  'too_large',
  'no_duration',
  'truncated',
  'incomplete',
  'too_short',
  'undecodable',
  'unplayable',
  'crashed',
  'exhausted',
] as const;
export type UnusableReason = (typeof UNUSABLE_REASONS)[number];

/** The file will never play: the job has failed. */
export class UnusableVideo extends Error {
  override readonly name = 'UnusableVideo';
  readonly reason: UnusableReason;

  constructor(reason: UnusableReason) {
    super(`unusable video: ${reason}`);
    this.reason = reason;
  }
}

/** The probe did not run, or not to its end, which says nothing about the file: retry later. The message is for the log. */
export class ProbeUnavailable extends Error {
  override readonly name = 'ProbeUnavailable';
}
