import { styleText } from 'node:util';
import type { Job } from '../../../client/src/index.ts';

const WIDTH = 32;

export type Progress = {
  show(job: Pick<Job, 'status' | 'progress' | 'queue_position'>): void;
  end(status: string): void;
};

/** A bar that redraws itself in a terminal; elsewhere a line for each quarter. */
export function createProgress(out: NodeJS.WriteStream): Progress {
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  let quarter = -1;

  function line(percent: number, label: string): string {
    const filled = Math.round((percent / 100) * WIDTH);
    const bar = styleText('cyan', '━'.repeat(filled)) + styleText('dim', '━'.repeat(WIDTH - filled));
    return `  ${bar} ${String(percent).padStart(3)} %  ${label} ${styleText('dim', seconds())}`;
  }

  return {
    show({ status, progress, queue_position }) {
      const percent = progress ?? 0;
      const label = queue_position ? `in line, ${queue_position}.` : status === 'pending' ? 'waiting' : 'rendering';
      if (out.isTTY) {
        out.write(`\r\x1b[K${line(percent, label)}`);
      } else if (Math.floor(percent / 25) > quarter) {
        quarter = Math.floor(percent / 25);
        out.write(`${line(percent, label)}\n`);
      }
    },
    end(status) {
      const percent = status === 'completed' ? 100 : 0;
      out.write(`${out.isTTY ? '\r\x1b[K' : ''}${line(percent, status)}\n`);
    },
  };
}
