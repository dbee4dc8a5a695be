/**
 * Posts that wait for a signal. Each keeps the Idempotency-Key it was made with, so that one whose answer was lost is
 * answered from memory when it is sent again: it arrives once.
 */
import { proven, type Problem } from "./api";
import { frame } from "./format";
import { language } from "./words";

export interface Post {
  /** the Idempotency-Key */
  key: string;
  /** whose it is: another party signed in on the same phone does not send it */
  organization: string;
  path: string;
  body: string;
  /** what it is, in words */
  label: string;
  /** why the hub refused it for good */
  refused?: string;
}

const STORE = "antrean";
const RETRY = 15_000;
const listeners = new Set<() => void>();

/** What waits of who is signed in; where nobody is, of everybody: it waits for them to sign in again. */
export function waiting(): Post[] {
  const all = JSON.parse(localStorage.getItem(STORE) ?? "[]") as Post[];
  const { organization } = frame();
  return organization ? all.filter((post) => post.organization === organization) : all;
}

let ended = false;
/** Whether the hub no longer knows who sends: a signal alone sends nothing then. */
export const isSignedOut = (): boolean => ended || !frame().organization;

function tell(): void {
  for (const listener of listeners) listener();
}

function write(change: (posts: Post[]) => Post[]): void {
  const all = JSON.parse(localStorage.getItem(STORE) ?? "[]") as Post[];
  localStorage.setItem(STORE, JSON.stringify(change(all)));
  tell();
}

export function onChange(listener: () => void): void {
  listeners.add(listener);
}

export const keepPost = (post: Post): void => write((posts) => [...posts.filter((one) => one.key !== post.key), post]);
export const dropPost = (key: string): void => write((posts) => posts.filter((one) => one.key !== key));

export type Outcome = { location: string } | { problem: Problem } | "waits" | "signed out";

/** Sends one post. It leaves the queue only when the hub has answered for good. */
export async function send(post: Post): Promise<Outcome> {
  let answer: Response;
  try {
    answer = await fetch(post.path, {
      method: "POST",
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        Accept: "application/json",
        "Accept-Language": language,
        "Idempotency-Key": post.key,
        ...proven(),
      },
      body: post.body,
    });
    ended = answer.status === 401;
    tell();
    if (ended) return "signed out";
    if (answer.status >= 500 || [409, 429].includes(answer.status)) return "waits";
    const content = (await answer.json()) as { location: string } & Problem;
    if (answer.ok) {
      dropPost(post.key);
      return { location: content.location };
    }
    return { problem: content };
  } catch {
    return "waits";
  }
}

/** Sends all that waits, one after another; a second tab waits its turn. */
export async function sendAll(): Promise<string | null> {
  const run = async (): Promise<string | null> => {
    let last: string | null = null;
    for (const post of waiting().filter((one) => !one.refused)) {
      const outcome = await send(post);
      if (outcome === "waits" || outcome === "signed out") break;
      if ("problem" in outcome) keepPost({ ...post, refused: reason(outcome.problem) });
      else last = outcome.location;
    }
    return last;
  };
  return "locks" in navigator ? navigator.locks.request(STORE, run) : run();
}

export const reason = (problem: Problem): string => problem.errors[0]?.detail ?? problem.detail;

/** Tries again when the signal returns, and now and then: phones do not always notice. */
export function keepTrying(sent: (location: string) => void): void {
  const attempt = async (): Promise<void> => {
    if (waiting().some((post) => !post.refused)) {
      const location = await sendAll();
      if (location) sent(location);
    }
  };
  addEventListener("online", () => void attempt());
  setInterval(() => void attempt(), RETRY);
  void attempt();
}
