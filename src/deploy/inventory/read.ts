import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { type Problem, WrongInput, whyUnreadable } from '../../errors.ts';
import type { Target } from '../target.ts';
import { readIni } from './ini.ts';
import type { Complain, Inventory } from './raw.ts';
import { resolve } from './resolve.ts';
import { readYaml } from './yaml.ts';

/**
 * The machines of an inventory in Ansible's form: YAML by its ending (`.yml`, `.yaml`), else INI.
 * @param name what the person calls the file
 * @throws WrongInput with every line that is wrong, `name:line`
 */
export async function readInventory(path: string, name: string): Promise<readonly Target[]> {
  const text = await readFile(path, 'utf8').catch((error) => {
    throw new WrongInput([{ input: name, message: `can't be read: ${whyUnreadable(error)}` }]);
  });
  return parseInventory(text, name);
}

/** @throws WrongInput like `readInventory` */
export function parseInventory(text: string, file: string): readonly Target[] {
  const problems: (Problem & { readonly line: number })[] = [];
  const complain: Complain = (line, message) => {
    const input = `${file}:${line}`;
    // What a group says is read once for each of its hosts.
    if (problems.some((each) => each.input === input && each.message === message)) return;
    problems.push({ input, message, line });
  };
  const inventory: Inventory = /^\.ya?ml$/.test(extname(file))
    ? readYaml(text, file)
    : readIni(text, complain);
  const targets = resolve(inventory, complain);
  if (problems.length > 0) throw new WrongInput(problems.sort((one, other) => one.line - other.line));
  if (targets.length === 0) throw new WrongInput([{ input: file, message: 'names no host' }]);
  return targets;
}
