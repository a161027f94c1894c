// Two minutes before the session ends a toast says so and offers to stay (WCAG 2.2.1).
// The server is asked first: another window may have made it longer.
import { csrf } from "./post.js";
import { fault, toast } from "./toast.js";

const AHEAD = 120_000;
const LONGEST = 2 ** 31 - 1; // what a timer can wait
const { session, sessionEnds } = document.body.dataset;

async function ask(method) {
  const response = await fetch(session, { method, headers: csrf() });
  if (response.ok) return Date.parse((await response.json()).ends);
  if (response.status === 401) return 0;
  throw new TypeError(response.statusText); // as without a network
}

function wait(ends) {
  setTimeout(look, Math.min(LONGEST, Math.max(0, ends - Date.now() - AHEAD)));
}

async function look() {
  let ends;
  try {
    ends = await ask("GET");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what fetch throws without a network
    return setTimeout(look, 10_000);
  }
  if (ends - Date.now() > AHEAD) wait(ends);
  else if (ends > Date.now()) warn(ends);
  else over();
}

function warn(ends) {
  const shown = toast({
    tone: "warn", stays: true, title: "You will be signed out in 2 minutes",
    text: "What is not saved would be lost.", label: "Stay signed in",
    act: async () => {
      const longer = await ask("POST").catch(() => null);
      if (longer === null) return toast(fault(0));
      clearTimeout(end);
      shown.remove();
      if (!longer) return over();
      toast({ title: "You stay signed in" });
      wait(longer);
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
