/** Where a generation's files live inside their buckets. Built from the job alone, so that a repeat overwrites itself. */
export function mediaPaths(userId: string, createdAt: Date, jobId: string): { video: string; thumbnail: string } {
  const folder = `${userId}/${createdAt.toISOString().slice(0, 7)}`;
  return { video: `${folder}/${jobId}.mp4`, thumbnail: `${folder}/${jobId}.jpg` };
}
