/** Flags for node with which a process loads the libraries that the test run has bundled; none outside a run. */
export function importFlag(): string[] {
  const hook = process.env.RENDIO_TEST_IMPORT;
  return hook ? ['--import', hook] : [];
}
