import { useState } from 'react';

/** A picture that keeps the first link it was given: later ones open the same file. */
export function Poster({ url }: { url: string }) {
  const [first] = useState(url);
  return <img src={first} alt="" loading="lazy" decoding="async" />;
}
