// What Uptime Kuma itself computes as the uptime of its monitors in the last hours; the last line printed is JSON.
// node kuma_uptime.cjs FOLDER DATA/ HOURS MONITOR...
"use strict";
const [folder, data, hours, ...monitors] = process.argv.slice(2);
process.chdir(folder);
const theirs = require("node:module").createRequire(`${folder}/package.json`);
theirs("dayjs").extend(theirs("dayjs/plugin/utc"));
const Database = theirs("./server/database");
const { R } = theirs("redbean-node");
const Monitor = theirs("./server/model/monitor");

(async () => {
    Database.initDataDir({ "data-dir": data });
    await Database.connect(false, true, true);
    const found = [];
    for (const monitor of monitors) {
        found.push(await Monitor.calcUptime(Number(hours), Number(monitor), true));
    }
    await R.close();
    console.log(JSON.stringify(found));
    process.exit(0);
})();
