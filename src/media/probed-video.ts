/** `width` and `height` as displayed, in pixels. `fps` is the average. */
export type ProbedVideo = {
  container: 'mp4' | 'mov' | 'webm';
  codec: string;
  width: number;
  height: number;
  durationSeconds: number;
  fps: number | null;
  /** The video that phones play is not the given file but the one at `playablePath`, which is what this describes. */
  isConverted?: true;
};

/** What is known of a video before it is inspected: the seconds that were ordered, the size that the vendor reports. */
export type ExpectedVideo = { seconds?: number | undefined; bytes?: number | undefined };
