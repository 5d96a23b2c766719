import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { paths } from '../../src/paths.ts';
import type { Task } from './renewal-child.ts';

export type Ending = 'completed' | 'killed';

export interface RenewalProcess {
  readonly kill: () => void;
  /** Rejects with what it said when it failed by itself. */
  readonly ended: Promise<Ending>;
}

/** @param options `uid`: user to run as */
export type StartRenewal = (task: Task, options?: { readonly uid?: number }) => RenewalProcess;

/**
 * Makes `renewal-child.ts` one file that starts quickly.
 * @returns what starts a process that runs it
 */
export async function renewalProcesses(folder: string): Promise<StartRenewal> {
  const program = join(folder, 'renewal-child.cjs');
  await build({
    entryPoints: [join(paths().root, 'test/support/renewal-child.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logOverride: { 'empty-import-meta': 'silent' }, // for where the checkout is, which it is told
  });
  return (task, options = {}) => {
    const child = spawn(process.execPath, [program, JSON.stringify(task)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...options,
    });
    const said = text(child.stderr);
    const ended = once(child, 'exit').then(async ([code, signal]): Promise<Ending> => {
      if (signal === 'SIGKILL') return 'killed';
      if (code === 0) return 'completed';
      throw new Error(`The renewal failed (${code ?? signal}):\n${await said}`);
    });
    return { kill: () => child.kill('SIGKILL'), ended };
  };
}
