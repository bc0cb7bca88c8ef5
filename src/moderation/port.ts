/** The port of what judges prompts before anything is charged. */

export type PromptVerdict = 'allowed' | 'blocked';

export type PromptPolicy = {
  /** Judges a prompt as it would be sent. May throw; who asks waits only for a bounded time, and then aborts the signal. */
  judge(prompt: string, signal: AbortSignal): Promise<PromptVerdict>;
};
