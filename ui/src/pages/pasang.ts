import { helpPosting } from "../lib/posting";
import { start } from "../lib/start";

start();
helpPosting();
