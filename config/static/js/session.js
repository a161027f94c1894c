// Two minutes before the session ends a toast says so and offers to stay (WCAG 2.2.1).
// The server is asked first: another window may have made it longer.
import { csrf } from "./post.js";
import { fault, toast } from "./toast.js";

const AHEAD = 120_000;
const MAX_TIMEOUT = 2 ** 31 - 1; // what a timer can wait
const { session, sessionEnds } = document.body.dataset;

async function requestSession(method) {
  const response = await fetch(session, { method, headers: csrf() });
  if (response.ok) {
    const answer = await response.json();
    return { ends: Date.parse(answer.ends), canBeExtended: answer.can_be_extended };
  }
  if (response.status === 401) return { ends: 0 };
  throw new TypeError(response.statusText); // as without a network
}

function wait(ends) {
  setTimeout(look, Math.min(MAX_TIMEOUT, Math.max(0, ends - Date.now() - AHEAD)));
}

async function look() {
  let answer;
  try {
    answer = await requestSession("GET");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch throws without a network
    return setTimeout(look, 10_000);
  }
  if (answer.ends - Date.now() > AHEAD) wait(answer.ends);
  else if (answer.ends > Date.now()) warn(answer);
  else over();
}

function warn({ ends, canBeExtended }) {
  const offer = canBeExtended ? { text: "What is not saved would be lost.", label: "Stay signed in" }
    : { text: "A week after signing in one has to sign in again. Save what you are working on." };
  const shown = toast({
    tone: "warn", stays: true, title: "You will be signed out in 2 minutes", ...offer,
    act: async () => {
      const longer = await requestSession("POST").catch(() => null);
      if (longer === null) return toast(fault(0));
      clearTimeout(end);
      shown.remove();
      if (!longer.ends) return over();
      toast({ title: "You stay signed in" });
      wait(longer.ends);
    },
  });
  const end = setTimeout(() => { shown.remove(); look(); }, ends - Date.now() + 1000);
}

function over() {
  toast({
    tone: "bad", title: "You were signed out", text: "Copy what you want to keep, then sign in again.",
    label: "Sign in", act: () => location.reload(),
  });
}

wait(Date.parse(sessionEnds));
