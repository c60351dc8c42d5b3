// Says events to a running Uptime Kuma, as its page does, and prints what it answered.
// node kuma_calls.cjs FOLDER ADDRESS <<< '[["login", {...}], ...]'
"use strict";
const { readFileSync } = require("node:fs");
const [folder, address] = process.argv.slice(2);
const { createRequire } = require("node:module");
const { io } = createRequire(`${folder}/package.json`)("socket.io-client");

const socket = io(address, { transports: ["websocket"], reconnection: false });
socket.on("connect_error", (error) => { throw error; });
socket.on("connect", async () => {
    const answers = [];
    for (const call of JSON.parse(readFileSync(0, "utf-8"))) {
        answers.push(await socket.timeout(20000).emitWithAck(...call));
    }
    console.log(JSON.stringify(answers));
    socket.close();
});
