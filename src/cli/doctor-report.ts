import type { Result, Told } from '../doctor/check.ts';
import type { Mended } from '../doctor/doctor.ts';
import type { Verdict } from '../doctor/finding.ts';
import { type Terminal, TITLE_WIDTH } from './terminal.ts';

const MARKS: Readonly<
  Record<Verdict, readonly [mark: string, style: 'green' | 'yellow' | 'red' | 'cyan' | 'dim']>
> = {
  fine: ['✓', 'green'],
  warning: ['!', 'yellow'],
  broken: ['✗', 'red'],
  unknown: ['?', 'cyan'],
  skipped: ['-', 'dim'],
};

/** Tells each finding as it comes, under its group, with its fix below it. */
export function tellFindings(terminal: Terminal): Told {
  let group = '';
  return {
    waiting: (name, detail) => {
      if (terminal.live) terminal.transient(`  · ${name.padEnd(TITLE_WIDTH - 1)}${detail}`);
    },
    found: (result) => {
      if (result.group !== group)
        terminal.line(`${group === '' ? '' : '\n'}${terminal.style('bold', result.group)}`);
      group = result.group;
      const { verdict, detail, fix } = result.finding;
      const [mark, style] = MARKS[verdict];
      const name = result.name.padEnd(TITLE_WIDTH - 1);
      const text = verdict === 'skipped' ? terminal.style('dim', detail) : terminal.hanging(detail);
      terminal.line(`  ${terminal.style(style, mark)} ${name}${text}`);
      for (const line of fix?.say.split('\n') ?? [])
        terminal.line(
          `${' '.repeat(TITLE_WIDTH + 3)}${terminal.hanging(`${terminal.style('cyan', '→')} ${line}`)}`,
        );
    },
  };
}

export function tellMended(terminal: Terminal, mended: readonly Mended[]): void {
  terminal.line(terminal.style('bold', 'Mended'));
  if (mended.length === 0)
    terminal.line(`  - ${'nothing'.padEnd(TITLE_WIDTH - 1)}there is nothing that is safe to do`);
  for (const { name, did, well } of mended) {
    const mark = well ? terminal.style('green', '✓') : terminal.style('red', '✗');
    terminal.line(`  ${mark} ${name.padEnd(TITLE_WIDTH - 1)}${terminal.hanging(did)}`);
  }
  terminal.line();
}

/** One line for all of it. */
export function doctorSummary(results: readonly Result[], seconds: number): string {
  const of = (verdict: Verdict) => results.filter(({ finding }) => finding.verdict === verdict);
  const names = (verdict: Verdict) =>
    of(verdict)
      .map(({ name }) => name)
      .join(', ');
  const said = [
    of('broken').length > 0 ? `broken: ${names('broken')}` : 'nothing is broken',
    of('warning').length > 0 ? `worth a look: ${names('warning')}` : '',
    of('unknown').length > 0 ? `unknown: ${names('unknown')}` : '',
    `${of('fine').length} fine, ${seconds.toFixed(0)} s`,
  ];
  return said.filter(Boolean).join('; ');
}

export function isHealthy(results: readonly Result[]): boolean {
  return results.every(({ finding }) => finding.verdict !== 'broken');
}

/** The same for programs. */
export function doctorAsJson(results: readonly Result[], mended: readonly Mended[]): string {
  const checks = results.map(({ name, group, finding: { verdict, detail, fix } }) => ({
    name,
    group,
    verdict,
    detail,
    ...(fix === undefined ? {} : { fix: fix.say }),
  }));
  return `${JSON.stringify({ checks, ...(mended.length === 0 ? {} : { mended }), healthy: isHealthy(results) }, null, 2)}\n`;
}
