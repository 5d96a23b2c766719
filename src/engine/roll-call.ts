import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { engineAddress, engineAway } from './address.ts';

/** A container of a Compose project, as the engine tells of it. */
export interface Present {
  /** Compose's name of the service. */
  readonly part: string;
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  /** `undefined` where nothing checks it. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  /** Since when it has been running, or not running any more. */
  readonly since: Date | undefined;
  /** How often the engine has started it again by itself. */
  readonly restarts: number;
  readonly exitCode: number;
}

const ANSWER_WITHIN = 5_000;

const listing = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()) }));
const time = z.string().transform((said) => (said.startsWith('0001-') ? undefined : new Date(said)));
const container = z.object({
  RestartCount: z.number(),
  State: z.object({
    Status: z.enum(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']),
    StartedAt: time,
    FinishedAt: time,
    ExitCode: z.number(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
});

/**
 * All containers of a Compose project, without those of `docker compose run`. It asks the engine by itself: to load
 * dockerode takes longer than the rest of what `status` does.
 * @throws Failure `engine-unreachable` or `engine-permission`
 */
export async function rollCall(dockerHost: string | undefined, project: string): Promise<Present[]> {
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] });
  try {
    const query = new URLSearchParams({ all: '1', filters });
    const listed = listing.parse(await ask(dockerHost, `/containers/json?${query}`));
    const parts = listed.filter(({ Labels }) => Labels['com.docker.compose.oneoff'] !== 'True');
    const looked = parts.map(({ Id, Labels }) =>
      lookAt(dockerHost, Id, Labels['com.docker.compose.service'] ?? ''),
    );
    return (await Promise.all(looked)).flat();
  } catch (error) {
    const strange = error instanceof z.ZodError || error instanceof SyntaxError;
    throw engineAway(strange ? new Error('its answer is not understood') : error, dockerHost);
  }
}

async function lookAt(dockerHost: string | undefined, id: string, part: string): Promise<Present[]> {
  const answer = await ask(dockerHost, `/containers/${id}/json`);
  if (answer === undefined) return []; // removed just now
  const { RestartCount, State } = container.parse(answer);
  const { Status: state, Health, ExitCode: exitCode } = State;
  const since = state === 'running' || state === 'paused' ? State.StartedAt : State.FinishedAt;
  return [{ part, state, health: healthOf(Health?.Status), since, restarts: RestartCount, exitCode }];
}

function healthOf(said: string | undefined): Present['health'] {
  return said === 'starting' || said === 'healthy' || said === 'unhealthy' ? said : undefined;
}

/** `undefined` for 404. */
function ask(dockerHost: string | undefined, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...engineAddress(dockerHost), path, agent: false });
    asked.setTimeout(ANSWER_WITHIN, () => asked.destroy(new Error('no answer')));
    asked.once('error', reject);
    asked.once('response', (response) => {
      text(response)
        .then((body) => {
          if (response.statusCode === 404) return undefined;
          if (response.statusCode === 200) return JSON.parse(body);
          throw new Error(`${response.statusCode} ${body.trim().slice(0, 200)}`);
        })
        .then(resolve, reject);
    });
    asked.end();
  });
}
