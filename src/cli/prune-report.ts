import { counted } from '../counted.ts';
import { sizeInWords } from '../low-water.ts';
import type { GoingManifest, GoingTag, Plan, RepositoryPlan, StayingTag } from '../retention/plan.ts';
import { ageInWords, reasonInWords, shortDigest } from './prune-words.ts';
import type { Terminal } from './terminal.ts';

/** More are counted; `--verbose` lists them. */
const LISTED = 5;

interface View {
  readonly now: Date;
  readonly verbose: boolean;
  /** How many entries of earlier runs are to be given up earlier. */
  readonly earlier: number;
}

/** What goes and what stays, by repository, and what it comes to. */
export function showPlan(terminal: Terminal, plan: Plan, { now, verbose, earlier }: View): void {
  const touched = plan.repositories.filter(
    (each) => verbose || each.going.length + each.untagged.length + each.damaged.length > 0,
  );
  for (const each of touched) showRepository(terminal, each, now, verbose);
  const rest = plan.repositories.length - touched.length;
  if (rest > 0)
    terminal.line(rest === 1 ? '1 repository keeps all it has.' : `${rest} repositories keep all they have.`);
  terminal.paragraph(totals(plan));
  if (earlier > 0) terminal.line('What was removed there before is given up earlier, too.');
}

/** `12 tags in 3 repositories go, and 4 untagged manifests; 30 stay. A collection then frees 1.2 GiB.` */
function totals({ repositories, bytes }: Plan): string {
  const sum = (of: (each: RepositoryPlan) => number) => repositories.reduce((all, each) => all + of(each), 0);
  const going = sum((each) => each.going.length);
  const untagged = sum((each) => each.untagged.length);
  const staying = sum((each) => each.staying.length);
  if (going + untagged === 0)
    return `Nothing goes: ${counted(staying, 'tag')} in ${where(repositories)} ${staying === 1 ? 'stays' : 'stay'}.`;
  const loose = untagged === 0 ? '' : `, and ${counted(untagged, 'untagged manifest')}`;
  const touched = repositories.filter((each) => each.going.length + each.untagged.length > 0);
  const freed = bytes === 0 ? 'nothing, as what stays needs all of it' : sizeInWords(bytes);
  const goes = going === 1 ? 'goes' : 'go';
  return `${counted(going, 'tag')} in ${where(touched)} ${goes}${loose}; ${staying} ${staying === 1 ? 'stays' : 'stay'}. A collection then frees ${freed}.`;
}

function where(repositories: readonly unknown[]): string {
  return counted(repositories.length, 'repository', 'repositories');
}

function showRepository(terminal: Terminal, found: RepositoryPlan, now: Date, verbose: boolean): void {
  const { name, going, untagged, staying, damaged } = found;
  terminal.line(terminal.style('bold', name));
  const show = <T>(of: readonly T[], line: (item: T) => string) => {
    for (const item of verbose ? of : of.slice(0, LISTED)) terminal.line(line(item));
    const more = verbose ? 0 : of.length - LISTED;
    if (more > 0) terminal.line(`        and ${more} more; --verbose lists them`);
  };
  const red = terminal.style('red', 'goes');
  const listed = verbose ? [...going, ...staying] : going.slice(0, LISTED);
  const width = Math.min(40, Math.max(10, ...listed.map(({ tag }) => tag.length)));
  show(going, (tag) => `  ${red}  ${goingLine(tag, now, width)}`);
  show(untagged, (each) => `  ${red}  ${'(untagged)'.padEnd(width)}  ${facts(each, now)}`);
  if (verbose) for (const tag of staying) terminal.line(`  stays ${stayingLine(tag, now, width)}`);
  else for (const [reason, many] of tally(staying)) terminal.line(`  stays ${many}: ${reason}`);
  for (const what of damaged)
    terminal.line(`  ${terminal.style('yellow', 'damaged')} ${what} can’t be read, and is left alone`);
}

function goingLine(tag: GoingTag, now: Date, width: number): string {
  const about = tag.subject === undefined ? '' : `, about ${shortDigest(tag.subject)}`;
  return `${tag.tag.padEnd(width)}  ${facts(tag, now)}${about}`;
}

function facts({ digest, pushed, bytes }: GoingManifest, now: Date): string {
  return `${shortDigest(digest)}  ${ageInWords(pushed, now)} old, ${sizeInWords(bytes)} of its own`;
}

function stayingLine({ tag, digest, pushed, because }: StayingTag, now: Date, width: number): string {
  const reasons = because.map(reasonInWords).join('; ');
  return `${tag.padEnd(width)}  ${shortDigest(digest)}  ${ageInWords(pushed, now)} old: ${reasons}`;
}

/** How many tags each reason keeps, a tag by its first. */
function tally(staying: readonly StayingTag[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { because } of staying) {
    const reason = because[0] === undefined ? '' : reasonInWords(because[0]);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}
