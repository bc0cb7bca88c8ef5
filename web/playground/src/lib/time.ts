/** A short time: only the time of day for today, the date for other days. */
export function timeText(time: string, language: string): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(language, isToday ? { timeStyle: 'short' } : { dateStyle: 'medium' }).format(date);
}
