import type { Clock } from '../system/clock.ts';

/** What a terminal understands (ECMA-48; xterm's control sequences for the `?` ones). */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'; // another screen, no cursor, no wrapping
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';
/** In between the terminal shows what was there before: whoever knows this never shows half a picture. */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l'];
const CONTROL_C = '\x03';

type Draw = () => Promise<readonly string[]>;

/**
 * Draws the same screen again and again, in place, until somebody presses q or Ctrl-C or the process is told to stop.
 * What was on the terminal before is there again afterwards, whatever happens.
 * @param every milliseconds
 */
export async function showLive(clock: Clock, every: number, draw: Draw): Promise<void> {
  const { stdin, stdout } = process;
  const stopped = new AbortController();
  let pause = new AbortController();
  const stop = () => stopped.abort();
  const redraw = () => pause.abort();
  const onKey = (key: Buffer) => {
    if (['q', 'Q', CONTROL_C].includes(key.toString())) stop();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

  for (const signal of signals) process.on(signal, stop);
  stdout.on('resize', redraw);
  stdin.setRawMode(true).on('data', onKey).resume();
  stdout.write(ENTER);
  try {
    while (!stopped.signal.aborted) {
      pause = new AbortController();
      const ended = AbortSignal.any([stopped.signal, pause.signal]);
      const lines = await Promise.race([draw(), aborted(stopped.signal)]);
      if (lines === undefined) return;
      stdout.write(picture(lines, stdout.rows));
      await clock.sleep(every, ended).catch(() => undefined);
    }
  } finally {
    stdout.write(LEAVE);
    stdin.setRawMode(false).off('data', onKey).pause();
    stdout.off('resize', redraw);
    for (const signal of signals) process.off(signal, stop);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

function picture(lines: readonly string[], rows: number): string {
  const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), '…'];
  return `${BEGIN}${HOME}${shown.map((line) => `${line}${REST_OF_LINE}`).join('\r\n')}${REST_OF_SCREEN}${END}`;
}
