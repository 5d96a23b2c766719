import type { Asked } from '../doctor/outside/examine.ts';
import { farewell, noteLine, WAITING, type Welcome, welcome } from '../doctor/outside/welcome.ts';
import { Failure } from '../errors.ts';
import { Feed } from '../remote/feed.ts';
import type { RemoteHost } from '../remote/host.ts';
import { Secret } from '../secret.ts';
import type { Report } from '../step.ts';
import { runThere } from './run-there.ts';

/** What `examineFromOutside` asks for, of a machine that is reached over SSH. */
export type Visitor = Pick<Asked, 'address' | 'trust' | 'login'>;

/**
 * Has the machine itself say where its registry is and whom to trust, and make a login that may use the doctor's
 * repository and nothing else. The login is gone with the connection or after 45 minutes, and so is, with the means of
 * that machine, what was pushed. All of it goes over the SSH connection: nothing of it is in argv or in a file.
 * @param folder where Moorage is there
 * @param report gets for whom it waits there
 * @returns what `work` returns, and what could not be taken away
 * @throws Failure `visitor-refused`, and those of the connection
 */
export async function withVisitor<T>(
  host: RemoteHost,
  folder: string,
  work: (visitor: Visitor) => Promise<T>,
  report: Report = () => undefined,
): Promise<{ readonly value: T; readonly left: string | undefined }> {
  const feed = new Feed();
  let greeted: (said: Welcome) => void = () => undefined;
  const greeting = new Promise<Welcome>((resolve) => {
    greeted = resolve;
  });
  let left: string | null = 'the connection was lost';
  const onLine = (line: string) => {
    const said = parsed(line);
    if (line.startsWith(WAITING)) report(line);
    const hello = welcome.safeParse(said);
    if (hello.success) greeted(hello.data);
    const goodbye = farewell.safeParse(said);
    if (goodbye.success) left = goodbye.data.left;
  };
  const session = runThere(host, folder, 'visitor', [], { feed, onLine });
  session.catch(() => undefined); // told below, whichever comes first
  const refused = session.then(({ stderr, exitCode }) => {
    const said = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith(WAITING));
    throw new Failure(
      'visitor-refused',
      `${host.name} lets no visitor in: ${said.slice(-3).join('\n') || `npm ended with ${exitCode}`}`,
      `Look there, in ${folder}: npm run doctor`,
    );
  });
  try {
    const said = await Promise.race([greeting, refused]);
    const value = await work(visitorOf(said, host, (digest) => feed.write(noteLine(digest))));
    feed.end();
    await session;
    return { value, left: left ?? undefined };
  } finally {
    feed.end();
    await refused.catch(() => undefined);
  }
}

function visitorOf(
  { name, port, httpPort, trust, user, password, noRoom }: Welcome,
  { address }: RemoteHost,
  note: (digest: string) => void,
): Visitor {
  return {
    address: { name, port, httpPort, connectTo: address },
    trust,
    login: {
      kind: 'made',
      credentials: { user, password: new Secret(password) },
      note: async (digest) => note(digest),
      noRoom: noRoom ?? undefined,
    },
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
