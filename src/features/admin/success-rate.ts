/** The share of finished generations that have a video; 0 while none has finished. */
export function successRate(completed: number, failed: number): number {
  return completed + failed === 0 ? 0 : completed / (completed + failed);
}
