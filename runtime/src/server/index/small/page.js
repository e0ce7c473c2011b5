
"use strict";
// A token in the address opens the page on a listener that is not loopback; it is kept here, and not in the address.
const token = new URLSearchParams(location.search).get("token");
if (token) history.replaceState(null, "", location.pathname);
const byId = (id) => document.getElementById(id);
const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

// Values: one row a path; rows are made once and then only their text changes.
const rows = new Map();
const groups = new Map();
const fresh = new Map();
const ROWS_MAX = 2000;
let meta = {};

const degrees = (value) => (value * 180 / Math.PI).toFixed(1) + "°";
const show = (path, value) => {
  if (value === null) return ["–", ""];
  const units = (meta[path] || {}).units || "";
  if (typeof value === "number") {
    const near = Math.round(value * 1000) / 1000;
    if (units === "rad") return [degrees(value), ""];
    if (units === "K") return [(value - 273.15).toFixed(1), "°C"];
    if (units === "m/s") return [value.toFixed(2), "m/s · " + (value * 3600 / 1852).toFixed(1) + " kn"];
    if (units === "ratio") return [(value * 100).toFixed(1), "%"];
    return [String(near), units];
  }
  if (value && typeof value.latitude === "number" && typeof value.longitude === "number") {
    const part = (angle, plus, minus) => Math.abs(angle).toFixed(5) + "° " + (angle < 0 ? minus : plus);
    return [part(value.latitude, "N", "S") + ", " + part(value.longitude, "E", "W"), ""];
  }
  if (value && typeof value.state === "string" && typeof value.message === "string") return [value.state + ": " + value.message, ""];
  return [typeof value === "string" ? value : JSON.stringify(value), units];
};

const group = (name) => {
  let found = groups.get(name);
  if (!found) {
    const box = make("div", "group");
    const body = make("tbody");
    const table = make("table");
    table.append(body);
    box.append(make("h3", "", name), table);
    found = { box, body };
    groups.set(name, found);
    const after = [...groups.keys()].sort();
    byId("groups").replaceChildren(...after.map((key) => groups.get(key).box));
  }
  return found;
};

const row = (path) => {
  let found = rows.get(path);
  if (!found && rows.size < ROWS_MAX) {
    const line = make("tr");
    const value = make("span");
    const unit = make("small");
    const source = make("td", "source");
    const age = make("td", "age");
    const cell = make("td", "value");
    cell.append(value, unit);
    const dot = path.indexOf(".");
    line.append(make("td", "path", dot < 0 ? path : path.slice(dot + 1)), cell, age, source);
    line.dataset.path = path;
    found = { line, value, unit, source, age };
    rows.set(path, found);
    const body = group(dot < 0 ? "other" : path.slice(0, dot)).body;
    const later = [...body.children].find((other) => other.dataset.path > path);
    body.insertBefore(line, later || null);
    byId("empty").hidden = true;
    filter();
  }
  return found;
};

const paint = () => {
  for (const [path, [value, source, time]] of fresh) {
    const found = row(path);
    if (!found) continue;
    const [text, unit] = show(path, value);
    found.value.textContent = text;
    found.unit.textContent = unit;
    found.source.textContent = source;
    found.line.title = path + " · " + time;
    found.at = Date.parse(time);
  }
  fresh.clear();
};
setInterval(paint, 250);

// Old values are told as old, by the gateway's clock: a path without a timeout in its meta after a minute.
const OLD_S = 60;
let ahead = 0;
const span = (s) => s < 60 ? s + " s" : s < 3600 ? (s / 60 | 0) + " min" : s < 86400 ? (s / 3600 | 0) + " h" : (s / 86400 | 0) + " d";
setInterval(() => {
  for (const [path, found] of rows) {
    const seconds = Math.floor((Date.now() + ahead - found.at) / 1000);
    found.age.textContent = seconds > 1 ? span(seconds) : "";
    found.line.className = seconds > ((meta[path] || {}).timeout || OLD_S) ? "old" : "";
  }
}, 1000);

const filter = () => {
  const wanted = byId("filter").value.trim().toLowerCase();
  for (const [path, found] of rows) found.line.hidden = !path.toLowerCase().includes(wanted);
  for (const { box, body } of groups.values()) box.hidden = ![...body.children].some((line) => !line.hidden);
};
byId("filter").addEventListener("input", filter);

const take = (delta) => {
  for (const update of delta.updates || []) {
    for (const entry of update.meta || []) meta[entry.path] = Object.assign(meta[entry.path] || {}, entry.value);
    for (const { path, value } of update.values || []) {
      if (path === "") {
        if (value && value.name) byId("vessel").textContent = value.name;
      } else if (fresh.size < ROWS_MAX) {
        fresh.set(path, [value, update.$source || "", update.timestamp || ""]);
      }
    }
  }
};

const state = (name, text) => {
  byId("link").className = "pill " + name;
  byId("link").textContent = text;
};
let wait = 1000;
const connect = () => {
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const socket = new WebSocket(scheme + location.host + "/signalk/v1/stream?subscribe=self&sendMeta=all" + (token ? "&token=" + encodeURIComponent(token) : ""));
  socket.onopen = () => { wait = 1000; state("good", "live"); };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message && message.timestamp && message.self) ahead = Date.parse(message.timestamp) - Date.now();
    if (message && message.updates) take(message);
    else if (message && message.self && !byId("vessel").textContent) byId("vessel").textContent = message.self.replace("vessels.", "");
  };
  socket.onclose = () => {
    state("bad", "not connected");
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 15000);
  };
};
connect();

// Who is signed in. With a token in the address it is the owner; a board knows nobody else.
const bearer = token ? { Authorization: "Bearer " + token } : {};
let isAdmin = !!token;
const showWho = async () => {
  const status = await (await fetch("/skServer/loginStatus", { headers: bearer })).json();
  isAdmin = status.userLevel === "admin";
  if (status.door === "admin") byId("webapps").remove();
  if (token || !status.allowDeviceAccessRequests || !status.authenticationRequired) return;
  if (status.status !== "loggedIn") {
    const link = make("a", "", "Sign in");
    link.setAttribute("href", "/login");
    byId("who").replaceChildren(link);
    return;
  }
  const out = make("button", "", "Sign out " + status.username);
  out.onclick = async () => {
    await fetch("/signalk/v1/auth/logout", { method: "PUT" });
    location.reload();
  };
  byId("who").replaceChildren(out);
};
showWho().catch(() => {});

// Consent: what a package, or its version that waits, asks for.
const consent = (card, plugin, asks, waiting) => {
  const what = waiting ? "Version " + waiting.version + " waits. It asks for: " : "Not started. It asks for: ";
  card.append(make("p", "asks", what + asks.join(", ")));
  if (!isAdmin) {
    card.append(make("p", "", "To accept, type: skiff plugin enable " + plugin.packageName + " --grant " + asks));
    return;
  }
  const button = make("button", "", "Accept");
  button.onclick = async () => {
    const answer = await fetch("/plugins/" + encodeURIComponent(plugin.id) + "/config?grant=" + asks, {
      method: "POST",
      headers: { ...bearer, "Content-Type": "application/json" },
      body: waiting ? "{}" : '{"enabled":true}',
    });
    button.textContent = answer.ok ? "Accepted" : (await answer.json()).error;
  };
  card.append(button);
};

// Plugins: asked for every few seconds.
const colour = { running: "good", starting: "wait", stopped: "", disabled: "", error: "bad", crashed: "bad" };
const listPlugins = async () => {
  try {
    const answer = await fetch("/skServer/plugins", { headers: bearer });
    if (!answer.ok) throw new Error("the gateway answered " + answer.status);
    const plugins = await answer.json();
    const cards = plugins.map((plugin) => {
      const card = make("div", "card");
      const head = make("div", "head");
      head.append(make("strong", "", plugin.name || plugin.id), make("span", "pill " + (colour[plugin.state] || ""), plugin.state || "unknown"));
      card.append(head, make("p", "", [plugin.packageName, plugin.version].filter(Boolean).join(" ")));
      if (plugin.description) card.append(make("p", "", plugin.description));
      const { reason, asks, waiting } = plugin.skiff || {};
      const said = asks ? [] : [...new Set([plugin.statusMessage, reason].filter(Boolean))];
      said.forEach((text) => card.append(make("p", text === reason ? "why" : "", text)));
      if (asks) consent(card, plugin, asks);
      if (waiting) consent(card, plugin, waiting.asks, waiting);
      return card;
    });
    byId("plugins").replaceChildren(...(cards.length ? cards : [make("p", "note", "No plugin is installed.")]));
  } catch (error) {
    byId("plugins").replaceChildren(make("p", "note", "The plugin list cannot be read: " + error.message));
  }
};
listPlugins();
setInterval(listPlugins, 3000);

// Web apps of installed packages; a chip has none.
const listApps = async () => {
  if (!byId("webapps")) return;
  const answer = await fetch("/skServer/webapps", { headers: bearer });
  const apps = answer.ok ? await answer.json() : [];
  if (!byId("webapps")) return;
  byId("apps").replaceChildren(...apps.map((app) => {
    const link = make("a", "card", (app.signalk && app.signalk.displayName) || app.name);
    link.setAttribute("href", app.location);
    return link;
  }));
  byId("webapps").hidden = !apps.length;
};
listApps().catch(() => {});
