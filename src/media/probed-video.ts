/** `width` and `height` as displayed, in pixels. `fps` is the average. */
export type ProbedVideo = {
  container: 'mp4' | 'mov' | 'webm';
  codec: string;
  width: number;
  height: number;
  durationSeconds: number;
  fps: number | null;
};
