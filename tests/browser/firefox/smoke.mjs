// What __main__.py gives: {url, executable, password, users: {role: name}, pages: [{name, path, role, ready}]}.
// Says what it saw, a line each; a complaint of a page ends it with 1.
import puppeteer from "puppeteer-core";

const { url, executable, password, users, pages } = JSON.parse(process.argv[2]);
const WITHIN = 60_000;
const complaints = [];

async function asked(path, { token, ...sent } = {}) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }), ...sent.headers };
  const answer = await fetch(url + path, { ...sent, headers });
  if (answer.status === 503) {
    // A busy machine: it says when to come again.
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers.get("Retry-After") ?? 1)));
    return asked(path, { token, ...sent });
  }
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function tokenOf(role) {
  const body = JSON.stringify({ username: users[role], password, client: "mobile" });
  return (await asked("/v1/auth/login", { method: "POST", body })).token;
}

const browser = await puppeteer.launch({ browser: "firefox", executablePath: executable, headless: true });
console.log(await browser.version());

async function opened(role, path) {
  const page = await (await browser.createBrowserContext()).newPage();
  await page.setViewport({ width: 1280, height: 800 });
  page.setDefaultTimeout(WITHIN);
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${path}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${path}: ${error.message}`));
  await page.evaluateOnNewDocument(() => {
    addEventListener("unhandledrejection", (event) => console.error("unhandled rejection", String(event.reason)));
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error("policy", event.violatedDirective, event.blockedURI));
  });
  await page.goto(url + path);
  if (role === "display") {
    const token = await tokenOf("admin");
    const [viewer] = (await asked(`/v1/users?q=${users.viewer}`, { token })).items;
    const { code } = await asked(`/v1/users/${viewer.id}/display-sessions`, { method: "POST", token });
    await page.locator("input[name=code]").fill(code);
    await page.locator("button[type=submit]").click();
  } else if (role !== null) {
    await page.locator("input[name=username]").fill(users[role]);
    await page.locator("input[name=password]").fill(password);
    await page.locator("button[type=submit]").click();
    await page.waitForSelector("header.frame");
  }
  return page;
}

// What pages complain of would be heard.
const provoked = await opened(null, "/");
await provoked.evaluate(() => {
  document.body.setAttribute("style", "color: red");
  Promise.reject(new Error("provoked"));
  setTimeout(() => undefined.provoked);
});
for (const one of ["policy", "rejection", "undefined"]) {
  while (!complaints.some((each) => each.includes(one))) await new Promise((resolve) => setTimeout(resolve, 50));
}
await provoked.close();
complaints.length = 0;

const nurse = await tokenOf("clinical");
const [ticket] = (await asked("/v1/nursing-board?limit=1", { token: nurse })).items;

for (const { name, path, role, ready } of pages) {
  const page = await opened(role, path.replace("{ticket}", ticket.id));
  await page.waitForSelector(ready);
  if (name === "board") {
    await page.waitForSelector(".standing[data-standing=live]");
    const began = Date.now();
    await asked(`/v1/tickets/${ticket.id}`, {
      method: "PATCH",
      token: nurse,
      headers: { "If-Match": `"${ticket.revision}"` },
      body: JSON.stringify({ bed_number: "FFX-1" }),
    });
    await page.waitForFunction(() => document.body.innerText.includes("FFX-1"));
    console.log(`board: somebody else's change after ${Date.now() - began} ms`);
  }
  for (const width of [360, 1280]) {
    await page.setViewport({ width, height: 800 });
    await page.waitForSelector(ready);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wider > 0) complaints.push(`${path}: ${wider} px wider than ${width}`);
  }
  console.log(`${name}: shown`);
  await page.close();
}

await browser.close();
for (const one of complaints) console.log(`COMPLAINT ${one}`);
process.exit(complaints.length ? 1 : 0);
