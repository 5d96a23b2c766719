import { WrongInput } from '../../errors.ts';
import type { Target } from '../target.ts';

/**
 * The machines that a pattern chooses: names and groups with `*`, commas between them, `!` takes away, `&` keeps only
 * (Ansible, "Patterns: targeting hosts and groups").
 * @throws WrongInput for a word that fits nothing
 */
export function limitTo(targets: readonly Target[], pattern: string): readonly Target[] {
  const words = pattern.split(/[,\s]+/).filter(Boolean);
  const unknown = words.filter((word) => !targets.some((target) => fits(target, word.replace(/^[!&]/, ''))));
  if (unknown.length > 0)
    throw new WrongInput(
      unknown.map((word) => ({
        input: `--limit ${word}`,
        message: `matches no host or group; there are ${namesOf(targets).join(', ')}`,
      })),
    );
  const plain = words.filter((word) => !/^[!&]/.test(word));
  const taken = targets.filter((target) => plain.length === 0 || plain.some((word) => fits(target, word)));
  const chosen = taken.filter((target) =>
    words.every((word) =>
      word.startsWith('!')
        ? !fits(target, word.slice(1))
        : !word.startsWith('&') || fits(target, word.slice(1)),
    ),
  );
  if (chosen.length === 0)
    throw new WrongInput([{ input: `--limit ${pattern}`, message: 'leaves no host over' }]);
  return chosen;
}

function namesOf(targets: readonly Target[]): readonly string[] {
  return [...new Set([...targets.map(({ name }) => name), ...targets.flatMap(({ groups }) => groups)])];
}

function fits({ name, groups }: Target, word: string): boolean {
  const parts = word.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`);
  return [name, ...groups].some((each) => pattern.test(each));
}
