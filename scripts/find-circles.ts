/** Finds the circles in a graph of imports. Each is one line with the files of the circle. */
export function circlesIn(graph: Map<string, string[]>): string[] {
  const circles: string[] = [];
  const path: string[] = [];
  const done = new Set<string>();
  function visit(file: string): void {
    const start = path.indexOf(file);
    if (start >= 0) circles.push(`${[...path.slice(start), file].join(' → ')}: a circle`);
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  }
  for (const file of graph.keys()) visit(file);
  return circles;
}
