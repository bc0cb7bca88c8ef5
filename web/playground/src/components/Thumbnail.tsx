import { useState } from 'react';

/** A thumbnail that keeps its first URL: a renewed URL has another signature but opens the same file. */
export function Thumbnail({ url }: { url: string }) {
  const [first] = useState(url);
  return <img src={first} alt="" loading="lazy" decoding="async" />;
}
