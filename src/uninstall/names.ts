import { dirname } from 'node:path';
import type { Action } from './action.ts';

/** As many of one folder are still read one by one. */
const FEW = 3;

/** A file of somebody else's does not go: only what was put into it does. */
export function nameOf(action: Action): string {
  return action.kind === 'made' && action.line === true ? `what was put into ${action.name}` : action.name;
}

/** Names of one kind; many in one folder are counted, for nobody reads eighteen paths. */
export function folded(names: readonly string[]): readonly string[] {
  const folderOf = (name: string) => (name.startsWith('/') ? dirname(name) : name);
  const folders = [...new Set(names.map(folderOf))];
  return folders.flatMap((folder) => {
    const inside = names.filter((name) => folderOf(name) === folder);
    return inside.length > FEW && folder !== '/' ? [`${inside.length} entries of ${folder}`] : inside;
  });
}
