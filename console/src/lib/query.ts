// Runs a job over a list, a few at once, in order of start; stops when told.
export async function each<T>(list: readonly T[], atOnce: number, signal: AbortSignal,
                              job: (value: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < list.length && !signal.aborted) {
      const index = next++;
      await job(list[index]!, index);
    }
  };
  await Promise.all(Array.from({length: Math.min(atOnce, list.length)}, worker));
}
