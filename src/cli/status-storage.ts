import { counted } from '../counted.ts';
import type { RepositoryUsage } from '../inventory/usage.ts';
import { sizeInWords } from '../low-water.ts';
import type { Status } from '../status/status.ts';
import { cut, type Page, textWidth } from './page.ts';

/** `1023 MiB` */
const SIZE_WIDTH = 8;
/** `12345 tags` */
const TAGS_WIDTH = 10;
const LONGEST_BAR = 40;
const SHORTEST_BAR = 8;

/**
 * The sum, and the largest repositories with bars: full for what is a repository's own, light for what it shares.
 * @param most repositories
 */
export function storageLines(storage: Status['storage'], page: Page, most: number): string[] {
  if (storage === 'left-out') return [];
  if (storage === 'being-read') return ['being read …'];
  if (storage.kind === 'unseen') return [`can't be looked at: ${storage.because}`];
  const { bytes, tags } = storage.what;
  // Of some only the folder is left, until a collection; of the one for proofs as a rule.
  const repositories = storage.what.repositories.filter(
    (each) => each.tags + each.damaged + sizeOf(each) > 0,
  );
  if (repositories.length === 0) return ['no images yet'];
  const shown = repositories.slice(0, most);
  const untagged = repositories.reduce((sum, each) => sum + each.untagged, 0);
  const loose = untagged === 0 ? '' : `, ${sizeInWords(untagged)} without a tag`;
  const more = repositories.length - shown.length;
  return [
    `${sizeInWords(bytes)} in ${counted(repositories.length, 'repository', 'repositories')}, ${counted(tags, 'tag')}${loose}`,
    ...barLines(shown, page),
    ...(more === 0 ? [] : [page.style('dim', `and ${more} more: npm run status -- --all`)]),
  ];
}

function barLines(repositories: readonly RepositoryUsage[], page: Page): string[] {
  const width = textWidth(page);
  const room = width - SIZE_WIDTH - TAGS_WIDTH - 3;
  const longest = Math.max(...repositories.map(({ name }) => name.length));
  const names = page.rows === undefined ? longest : Math.min(longest, room - SHORTEST_BAR);
  const bars = Math.max(SHORTEST_BAR, Math.min(LONGEST_BAR, room - names));
  const [largest] = repositories;
  const scale = Math.max(1, largest === undefined ? 0 : sizeOf(largest));
  return repositories.map((each) => {
    const own = Math.round((each.own / scale) * bars);
    const all = Math.round((sizeOf(each) / scale) * bars);
    const drawn = '█'.repeat(own) + '░'.repeat(Math.max(0, all - own));
    const bar = page.style('cyan', drawn === '' && sizeOf(each) > 0 ? '▏' : drawn);
    const size = sizeInWords(sizeOf(each)).padStart(SIZE_WIDTH);
    return `${cut(each.name, names).padEnd(names)} ${size} ${counted(each.tags, 'tag').padStart(TAGS_WIDTH)} ${bar}`.trimEnd();
  });
}

function sizeOf({ own, shared }: RepositoryUsage): number {
  return own + shared;
}
