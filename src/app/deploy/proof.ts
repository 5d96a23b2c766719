import type { Prospect } from '../../deploy/prospect.ts';
import { withVisitor } from '../../deploy/visitor.ts';
import type { Result } from '../../doctor/check.ts';
import { examineFromOutside } from '../../doctor/outside/examine.ts';
import { Failure } from '../../errors.ts';
import { changed, type Done, type Report, unchanged } from '../../step.ts';
import type { App } from '../app.ts';

/**
 * The registry as a client here sees it: by its public address, with a login that lapses.
 * @param quick leaves out what moves much data
 * @throws Failure `broken-from-here` with what is broken, and those of `withVisitor`
 */
export async function proveFromHere(
  { clock }: Pick<App, 'clock'>,
  { host, order }: Prospect,
  { quick, report }: { readonly quick: boolean; readonly report: Report },
): Promise<Done<readonly Result[]>> {
  const told = {
    waiting: (name: string, subject: string) => report(`${name}: ${subject}`),
    found: () => undefined,
  };
  const { value: results } = await withVisitor(
    host,
    order.folder,
    (visitor) => examineFromOutside({ ...visitor, clock, quick, only: [] }, told),
    report,
  );
  const broken = results.filter(({ finding }) => finding.verdict === 'broken');
  if (broken.length > 0)
    throw new Failure(
      'broken-from-here',
      broken.map(({ name, finding }) => `${order.target.name}: ${name}: ${finding.detail}`).join('\n'),
      [...new Set(broken.map(({ finding }) => finding.fix?.say ?? 'docs/doctor.md'))].join('\n'),
    );
  const warnings = results.filter(({ finding }) => finding.verdict === 'warning');
  const well = results.filter(({ finding }) => finding.verdict === 'fine').length;
  const lines = warnings.map(({ name, finding }) => `${name}: ${finding.detail}`);
  const summary = [`${well} checks from here are fine`, ...lines].join('\n');
  return quick ? unchanged(summary, results) : changed(summary, results);
}
