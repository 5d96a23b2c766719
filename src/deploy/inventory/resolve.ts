import type { Target } from '../target.ts';
import type { Complain, Inventory, Said, Variables } from './raw.ts';
import { interpret } from './variables.ts';

/** Each host with all that is said of it: by `all`, its groups from the outermost to the innermost, and itself. */
export function resolve(inventory: Inventory, complain: Complain): readonly Target[] {
  const parents = parentsOf(inventory);
  const depths = new Map<string, number>();
  const depth = (group: string, trail: readonly string[] = []): number => {
    const known = depths.get(group);
    if (known !== undefined) return known;
    const above = parents.get(group) ?? new Map<string, Said>();
    const found =
      group === 'all' || trail.includes(group)
        ? 0
        : Math.max(1, ...[...above.keys()].map((each) => depth(each, [...trail, group]) + 1));
    depths.set(group, found);
    return found;
  };
  for (const { children } of inventory.groups.values())
    for (const { text, line } of children.values())
      if (!inventory.groups.has(text) && text !== 'ungrouped') complain(line, `there is no group ${text}`);
  for (const loop of loopsIn(parents)) complain(loop.line, `${loop.text} is a child of itself`);
  return [...inventory.hosts].map(([name, line]) => {
    const groups = ancestors(name, inventory, parents).sort(
      (one, other) => depth(one) - depth(other) || (one < other ? -1 : 1), // as Ansible has it, whatever is spoken here
    );
    const layers: Variables[] = groups.map((group) => inventory.groups.get(group)?.variables ?? new Map());
    const variables = new Map<string, Said>();
    for (const layer of [...layers, inventory.hostVariables.get(name) ?? []])
      for (const [variable, said] of layer) {
        variables.delete(variable); // `email` and `EMAIL` are one: the order tells which counts
        variables.set(variable, said);
      }
    return { name, groups, ...interpret(name, line, variables, complain) };
  });
}

/** The groups of a host and those above them; `all` is above everything, and `ungrouped` has who is in no other. */
function ancestors(host: string, { groups }: Inventory, parents: Parents): string[] {
  const found = new Set<string>(['all']);
  const climb = (group: string) => {
    if (found.has(group) && group !== 'all') return;
    found.add(group);
    for (const above of parents.get(group)?.keys() ?? []) climb(above);
  };
  for (const [name, group] of groups) if (group.hosts.has(host)) climb(name);
  const named = [...found].filter((group) => group !== 'all' && group !== 'ungrouped');
  return named.length > 0 ? ['all', ...named] : ['all', 'ungrouped'];
}

type Parents = ReadonlyMap<string, ReadonlyMap<string, Said>>;

function parentsOf({ groups }: Inventory): Parents {
  const parents = new Map<string, Map<string, Said>>();
  for (const [name, { children }] of groups)
    for (const [child, said] of children)
      parents.set(child, (parents.get(child) ?? new Map()).set(name, said));
  return parents;
}

function loopsIn(parents: Parents): readonly Said[] {
  return [...parents].flatMap(([group, above]) => {
    const seen = new Set<string>();
    const open = [...above.keys()];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === group) return [{ text: group, line: [...above.values()][0]?.line ?? 1 }];
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...(parents.get(next)?.keys() ?? []));
    }
    return [];
  });
}
