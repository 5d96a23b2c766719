import { isIP } from 'node:net';
import { join } from 'node:path';
import { Failure, WrongInput } from '../errors.ts';
import { isLoopback } from '../settings/storage.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { readIfExists } from '../system/files.ts';
import { purposeOf, type TrustedRegistry, type TrustMachine } from './machine.ts';

const MARK = '# by Moorage: npm run trust';

/**
 * Has the names of the registry lead to `address` on this machine: one line in /etc/hosts (hosts(5)), which is replaced
 * when the address changes. All else in it stays.
 * @throws Failure `hosts-taken` when another line has a name already, `root-needed`
 */
export async function ensureHosts(
  { root, made }: TrustMachine,
  { id, names }: Pick<TrustedRegistry, 'id' | 'names'>,
  address: string,
): Promise<Done> {
  const path = join(root, 'etc/hosts');
  const wanted = names.filter((name) => isIP(name) === 0 && !isLoopback(name));
  if (wanted.length === 0)
    throw new WrongInput([
      { input: '--hosts', message: 'this registry has no name that could lead anywhere' },
    ]);
  const purpose = purposeOf(id, 'hosts');
  const line = `${address}\t${wanted.join(' ')}\t${MARK}`;
  const ours = (await made.for(purpose)).flatMap((each) => ('lines' in each ? each.lines : []));
  const theirs = entries((await readIfExists(path)) ?? '', [...ours, line]);
  const other = theirs.find(
    (each) =>
      each.address !== address &&
      isIP(each.address) === isIP(address) &&
      each.names.some((name) => wanted.includes(name)),
  );
  if (other !== undefined)
    throw new Failure(
      'hosts-taken',
      `${path} has another address for it already, in a line that Moorage did not write: ${other.line.trim()}`,
      'Take that line away if it is wrong, then run this again; or leave out --hosts.',
    );
  const told = `${wanted.join(', ')} at ${address}`;
  const said = (name: string) => theirs.some((each) => each.address === address && each.names.includes(name));
  if (ours.length === 0 && wanted.every(said)) return unchanged(told);
  return (await made.ensureLine(path, purpose, line)) ? changed(`${path}: ${told}`) : unchanged(told);
}

function entries(text: string, except: readonly string[]) {
  return text
    .split('\n')
    .filter((line) => !except.includes(line))
    .flatMap((line) => {
      const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
      return names.length === 0 ? [] : [{ line, address, names }];
    });
}
