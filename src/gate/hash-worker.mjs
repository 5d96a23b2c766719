// bcrypt in a thread of its own: a quarter of a second each time, in which the gate has others to answer. Plain
// JavaScript, so that Node runs it as it stands, without the loader of the commands and without a bundle.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

/**
 * @typedef {object} Task
 * @property {string} password
 * @property {string} hash
 * @property {readonly string[]} padding hashes that are compared as well when the first doesn't match
 *
 * @typedef {object} Answer
 * @property {boolean} right
 * @property {number} took ms
 */

// On Linux this is for the calling thread alone: whoever is let in already goes before whoever wants to come in.
if (process.platform === 'linux') {
  try {
    setPriority(10);
  } catch {
    // A sandbox that forbids it: then it is as important as the rest.
  }
}

parentPort?.on('message', (/** @type {Task} */ { password, hash, padding }) => {
  const start = performance.now();
  const right = compareSync(password, hash);
  if (!right) for (const other of padding) compareSync(password, other);
  /** @type {Answer} */
  const answer = { right, took: performance.now() - start };
  parentPort?.postMessage(answer);
});
