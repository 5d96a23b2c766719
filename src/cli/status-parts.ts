import { span } from '../certificates/words.ts';
import { counted } from '../counted.ts';
import type { PartState } from '../stack/parts.ts';
import type { Status } from '../status/status.ts';
import { type Page, padded, textWidth } from './page.ts';
import type { Style } from './terminal.ts';

const MARKS: Readonly<Record<PartState['condition'], readonly [Style, string]>> = {
  running: ['green', '✓'],
  starting: ['yellow', '·'],
  unhealthy: ['red', '✗'],
  restarting: ['red', '✗'],
  paused: ['red', '✗'],
  stopped: ['red', '✗'],
  missing: ['red', '✗'],
};

/** As many parts side by side as there is room for. */
export function partLines({ parts, at }: Pick<Status, 'parts' | 'at'>, page: Page): string[] {
  if (parts.kind === 'unseen') return [`can't be looked at: ${parts.because}`];
  const longest = Math.max(...parts.what.map(({ name }) => name.length));
  const cells = parts.what.map((part) => cell(part, at, longest, page));
  const width = Math.max(...cells.map(({ columns }) => columns)) + 3;
  const beside = Math.max(1, Math.floor((textWidth(page) + 3) / width));
  const lines: string[] = [];
  for (let index = 0; index < cells.length; index += beside)
    lines.push(
      cells
        .slice(index, index + beside)
        .map(({ text }) => padded(text, width))
        .join('')
        .trimEnd(),
    );
  return lines;
}

function cell({ name, condition, since, restarts }: PartState, now: Date, longest: number, { style }: Page) {
  const [colour, mark] = MARKS[condition];
  const time = since === undefined ? '' : ` ${span(now.getTime() - since.getTime())}`;
  const again = restarts === 0 ? '' : `, ${counted(restarts, 'restart')}`;
  const words = `${name.padEnd(longest)} ${condition}${time}${again}`;
  return { text: `${style(colour, mark)} ${words}`, columns: words.length + 2 };
}
