//! What is read and changed of the boat: the tree, notifications, resources, course, autopilots, history, weather, radar.

use super::operation::{Api, delete, get, post, put};

pub const APIS: &[Api] = &[
    Api {
        name: "discovery",
        title: "Where to begin",
        says: "What serves Signal K here, under which addresses, and which APIs there are.",
        operations: &[
            get("/signalk", "Addresses of the API and of the stream", "Discovery").of_all(),
            get("/signalk/v2/features", "APIs of version 2 and plugins", "Features").by(&["enabled"]),
        ],
    },
    Api {
        name: "data",
        title: "The data model",
        says: "The latest value of each path. Below a vessel each name of a path is a segment; a path can have more of them than stand here.",
        operations: &[
            get("/signalk/v1/api", "The whole tree", "Tree"),
            get("/signalk/v1/api/self", "Context of the own vessel", "text"),
            get("/signalk/v1/api/sources", "Who tells: devices of the bus, plugins, clients", "object"),
            get("/signalk/v1/api/vessels", "All vessels, by id", "object"),
            get("/signalk/v1/api/vessels/{vessel}", "A vessel", "object"),
            get("/signalk/v1/api/vessels/{vessel}/{group}", "A group of paths", "object"),
            get("/signalk/v1/api/vessels/{vessel}/{group}/{name}", "A path with its latest value", "Leaf"),
            get("/signalk/v1/api/vessels/{vessel}/{group}/{name}/value", "The value alone", "any"),
            get(
                "/signalk/v1/api/vessels/{vessel}/{group}/{name}/meta",
                "What a path means: unit, description, zones",
                "Meta",
            ),
            put(
                "/signalk/v1/api/vessels/self/{group}/{name}",
                "Asks the plugin that handles a path to change it",
                "Value",
            )
            .also(202),
            put("/signalk/v1/api/vessels/self/{group}/{name}/{part}", "The same for a longer path", "Value").also(202),
            put(
                "/signalk/v1/api/vessels/self/{group}/{name}/meta",
                "Changes what a path means, member by member",
                "MetaValue",
            )
            .of_admin(),
            delete("/signalk/v1/api/vessels/self/{group}/{name}/meta", "Forgets what was said of a path").of_admin(),
            put(
                "/signalk/v1/api/vessels/self/{group}/{name}/meta/{member}",
                "Changes one member, zones for one",
                "Value",
            )
            .of_admin(),
            delete("/signalk/v1/api/vessels/self/{group}/{name}/meta/{member}", "Forgets one member").of_admin(),
            get("/signalk/v1/api/tracks", "Where vessels have been, as GeoJSON", "object").by(&["radius", "bbox"]),
            get("/signalk/v1/api/vessels/{vessel}/track", "Where one has been, as GeoJSON", "object")
                .by(&["timespan", "resolution"]),
        ],
    },
    Api {
        name: "notifications",
        title: "Notifications",
        says: "Alarms and the like: raised, silenced, acknowledged, cleared.",
        operations: &[
            get("/signalk/v2/api/notifications", "All that are there, by id", "NoticeRow{}"),
            post("/signalk/v2/api/notifications", "Raises one", "NewNotice"),
            get("/signalk/v2/api/notifications/{notification}", "One of them", "NoticeRow"),
            put("/signalk/v2/api/notifications/{notification}", "Changes one", "ChangedNotice"),
            delete("/signalk/v2/api/notifications/{notification}", "Clears one"),
            post("/signalk/v2/api/notifications/mob", "Somebody is overboard", "Message"),
            post("/signalk/v2/api/notifications/silenceAll", "Silences all but emergencies", ""),
            post("/signalk/v2/api/notifications/acknowledgeAll", "Acknowledges all", ""),
            post("/signalk/v2/api/notifications/{notification}/silence", "Silences one; no emergency", ""),
            post("/signalk/v2/api/notifications/{notification}/acknowledge", "Acknowledges one", ""),
        ],
    },
    Api {
        name: "resources",
        title: "Resources",
        says: "Routes, waypoints, regions, notes, charts and types of one's own, from this gateway and from plugins.",
        operations: &[
            get("/signalk/v2/api/resources", "Types", "object"),
            get("/signalk/v2/api/resources/routes", "Routes, by id", "Route{}").by(SEARCH),
            post("/signalk/v2/api/resources/routes", "Adds a route", "Route").by(PROVIDER).gives(201, "State"),
            get("/signalk/v2/api/resources/routes/{resource}", "A route", "Route").by(PROVIDER),
            put("/signalk/v2/api/resources/routes/{resource}", "Adds or changes a route", "Route").by(PROVIDER),
            delete("/signalk/v2/api/resources/routes/{resource}", "Removes a route").by(PROVIDER),
            get("/signalk/v2/api/resources/waypoints", "Waypoints, by id", "Waypoint{}").by(SEARCH),
            post("/signalk/v2/api/resources/waypoints", "Adds a waypoint", "Waypoint").by(PROVIDER).gives(201, "State"),
            get("/signalk/v2/api/resources/waypoints/{resource}", "A waypoint", "Waypoint").by(PROVIDER),
            put("/signalk/v2/api/resources/waypoints/{resource}", "Adds or changes a waypoint", "Waypoint")
                .by(PROVIDER),
            delete("/signalk/v2/api/resources/waypoints/{resource}", "Removes a waypoint").by(PROVIDER),
            get("/signalk/v2/api/resources/regions", "Regions, by id", "Region{}").by(SEARCH),
            post("/signalk/v2/api/resources/regions", "Adds a region", "Region").by(PROVIDER).gives(201, "State"),
            get("/signalk/v2/api/resources/regions/{resource}", "A region", "Region").by(PROVIDER),
            put("/signalk/v2/api/resources/regions/{resource}", "Adds or changes a region", "Region").by(PROVIDER),
            delete("/signalk/v2/api/resources/regions/{resource}", "Removes a region").by(PROVIDER),
            get("/signalk/v2/api/resources/notes", "Notes, by id", "Note{}").by(SEARCH),
            post("/signalk/v2/api/resources/notes", "Adds a note", "Note").by(PROVIDER).gives(201, "State"),
            get("/signalk/v2/api/resources/notes/{resource}", "A note", "Note").by(PROVIDER),
            put("/signalk/v2/api/resources/notes/{resource}", "Adds or changes a note", "Note").by(PROVIDER),
            delete("/signalk/v2/api/resources/notes/{resource}", "Removes a note").by(PROVIDER),
            get("/signalk/v2/api/resources/charts", "Charts, by id", "Chart{}").by(SEARCH),
            post("/signalk/v2/api/resources/charts", "Adds a chart that is elsewhere", "Chart")
                .by(PROVIDER)
                .gives(201, "State"),
            get("/signalk/v2/api/resources/charts/{chart}", "A chart", "Chart").by(PROVIDER),
            put("/signalk/v2/api/resources/charts/{chart}", "Adds or changes a chart", "Chart").by(PROVIDER),
            delete("/signalk/v2/api/resources/charts/{chart}", "Removes a chart").by(PROVIDER),
            get("/signalk/v2/api/resources/{type}/_providers", "Who keeps resources of a type", "text[]"),
            get("/signalk/v2/api/resources/{type}/_providers/_default", "Who keeps new ones", "text"),
            post("/signalk/v2/api/resources/{type}/_providers/_default/{provider}", "Chooses who keeps new ones", "")
                .of_admin()
                .gives(201, "State"),
            get("/signalk/v1/api/resources/charts", "Charts as version 1 has them", "Chart{}"),
        ],
    },
    Api {
        name: "course",
        title: "Course",
        says: "Where the vessel goes, and what follows from that.",
        operations: &[
            get("/signalk/v2/api/vessels/self/navigation/course", "Next point, point before, route", "Course"),
            delete("/signalk/v2/api/vessels/self/navigation/course", "Ends it"),
            put(
                "/signalk/v2/api/vessels/self/navigation/course/destination",
                "Goes to a place or a waypoint",
                "Destination",
            ),
            put("/signalk/v2/api/vessels/self/navigation/course/activeRoute", "Goes along a route", "ActiveRoute"),
            put(
                "/signalk/v2/api/vessels/self/navigation/course/activeRoute/nextPoint",
                "Goes so many points on, or back",
                "Steps",
            ),
            put(
                "/signalk/v2/api/vessels/self/navigation/course/activeRoute/pointIndex",
                "Goes to a point of the route",
                "Steps",
            ),
            put(
                "/signalk/v2/api/vessels/self/navigation/course/activeRoute/reverse",
                "Goes along it the other way",
                "",
            ),
            put("/signalk/v2/api/vessels/self/navigation/course/activeRoute/refresh", "Reads the route again", ""),
            put("/signalk/v2/api/vessels/self/navigation/course/restart", "Begins the leg where the vessel is", ""),
            put("/signalk/v2/api/vessels/self/navigation/course/arrivalCircle", "How near is arrival", "Metres"),
            put(
                "/signalk/v2/api/vessels/self/navigation/course/targetArrivalTime",
                "When the vessel wants to be there",
                "Moment",
            ),
            get(
                "/signalk/v2/api/vessels/self/navigation/course/calcValues",
                "Bearing, distance, time to go",
                "CourseValues",
            ),
            get(
                "/signalk/v2/api/vessels/self/navigation/course/_config",
                "Whether plotters are listened to",
                "CourseConfig",
            ),
            post("/signalk/v2/api/vessels/self/navigation/course/_config/apiOnly", "Listens to this API alone", "")
                .of_admin(),
            delete("/signalk/v2/api/vessels/self/navigation/course/_config/apiOnly", "Listens to plotters, too")
                .of_admin(),
        ],
    },
    Api {
        name: "autopilot",
        title: "Autopilots",
        says: "Autopilots that plugins stand behind; without one an operation is 501.",
        operations: &[
            get("/signalk/v2/api/vessels/self/autopilots", "Autopilots, by id", "object"),
            get(
                "/signalk/v2/api/vessels/self/autopilots/_providers/_default",
                "The one that is meant by default",
                "object",
            ),
            post("/signalk/v2/api/vessels/self/autopilots/_providers/_default/{pilot}", "Chooses it", "").of_admin(),
            get("/signalk/v2/api/vessels/self/autopilots/{pilot}", "All of one", "Pilot"),
            get(
                "/signalk/v2/api/vessels/self/autopilots/{pilot}/options",
                "States, modes and actions that it has",
                "object",
            ),
            get("/signalk/v2/api/vessels/self/autopilots/{pilot}/state", "Its state", "Value"),
            put("/signalk/v2/api/vessels/self/autopilots/{pilot}/state", "Changes its state", "Text"),
            get("/signalk/v2/api/vessels/self/autopilots/{pilot}/mode", "Its mode", "Value"),
            put("/signalk/v2/api/vessels/self/autopilots/{pilot}/mode", "Changes its mode", "Text"),
            get("/signalk/v2/api/vessels/self/autopilots/{pilot}/target", "What it steers to, radians", "Value"),
            put("/signalk/v2/api/vessels/self/autopilots/{pilot}/target", "Changes what it steers to", "Angle"),
            put(
                "/signalk/v2/api/vessels/self/autopilots/{pilot}/target/adjust",
                "Turns the target by so much",
                "Angle",
            ),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/engage", "Has it steer", ""),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/disengage", "Has it let go", ""),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/tack/port", "Tacks to port", ""),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/tack/starboard", "Tacks to starboard", ""),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/gybe/port", "Gybes to port", ""),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/gybe/starboard", "Gybes to starboard", ""),
            post("/signalk/v2/api/vessels/self/autopilots/{pilot}/dodge", "Steers by hand for a while", ""),
            put("/signalk/v2/api/vessels/self/autopilots/{pilot}/dodge", "Dodges by so much", "Angle"),
            delete("/signalk/v2/api/vessels/self/autopilots/{pilot}/dodge", "Goes back to the course"),
            post(
                "/signalk/v2/api/vessels/self/autopilots/{pilot}/courseCurrentPoint",
                "Steers to the point of the course",
                "",
            ),
            post(
                "/signalk/v2/api/vessels/self/autopilots/{pilot}/courseNextPoint",
                "Steers to the point behind it",
                "",
            ),
        ],
    },
    Api {
        name: "history",
        title: "History",
        says: "The past of the own vessel, where its owner lists paths to keep; 501 where history is off.",
        operations: &[
            get("/signalk/v2/api/history/values", "Values of paths in rows, each with its time", "HistoryValues")
                .by(&["paths", "context", "from", "to", "duration", "resolution"]),
            get("/signalk/v2/api/history/paths", "Paths that have values then", "text[]").by(SPAN),
            get("/signalk/v2/api/history/contexts", "Vessels that have values then", "text[]").by(SPAN),
            get("/signalk/v2/api/history/_providers", "Who keeps history", "object"),
            get("/signalk/v2/api/history/_providers/_default", "Who answers", "object"),
            post("/signalk/v2/api/history/_providers/_default/{provider}", "Chooses who answers", "").of_admin(),
            get("/signalk/v1/snapshot", "The tree as it was at a time", "Tree").by(&["time"]),
        ],
    },
    Api {
        name: "weather",
        title: "Weather",
        says: "Weather for a place, from plugins.",
        operations: &[
            get("/signalk/v2/api/weather", "Parts of this API", "object"),
            get("/signalk/v2/api/weather/observations", "What was observed", "object[]").by(PLACE),
            get("/signalk/v2/api/weather/forecasts", "Kinds of forecasts", "object"),
            get("/signalk/v2/api/weather/forecasts/daily", "A forecast a day", "object[]").by(PLACE),
            get("/signalk/v2/api/weather/forecasts/point", "Forecasts for points in time", "object[]").by(PLACE),
            get("/signalk/v2/api/weather/warnings", "Warnings", "object[]").by(PLACE),
            get("/signalk/v2/api/weather/_providers", "Who tells the weather", "object"),
            get("/signalk/v2/api/weather/_providers/_default", "Who is asked", "object"),
            post("/signalk/v2/api/weather/_providers/_default/{provider}", "Chooses who is asked", "").of_admin(),
        ],
    },
    Api {
        name: "radar",
        title: "Radar",
        says: "Radars that plugins stand behind. Their spokes are a stream.",
        operations: &[
            get("/signalk/v2/api/vessels/self/radars", "Radars", "object"),
            get("/signalk/v2/api/vessels/self/radars/{radar}", "A radar", "object"),
            put("/signalk/v2/api/vessels/self/radars/{radar}", "Sets several controls", "object"),
            get("/signalk/v2/api/vessels/self/radars/{radar}/capabilities", "What it can do", "object"),
            get("/signalk/v2/api/vessels/self/radars/{radar}/state", "Its state and controls", "object"),
            get("/signalk/v2/api/vessels/self/radars/{radar}/controls", "Its controls", "object"),
            get("/signalk/v2/api/vessels/self/radars/{radar}/controls/{control}", "One of them", "object"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/controls/{control}", "Sets it", "Value"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/power", "Switches it", "RadarPower"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/range", "Sets its range", "Metres"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/gain", "Sets its gain", "RadarGain"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/sea", "Sets what it does against the sea", "RadarGain"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/rain", "Sets what it does against rain", "RadarGain"),
            get("/signalk/v2/api/vessels/self/radars/{radar}/targets", "Targets", "object"),
            post("/signalk/v2/api/vessels/self/radars/{radar}/targets", "Follows a target", "RadarTarget"),
            delete("/signalk/v2/api/vessels/self/radars/{radar}/targets/{target}", "Follows it no longer"),
            get("/signalk/v2/api/vessels/self/radars/{radar}/arpa/settings", "How targets are followed", "object"),
            put("/signalk/v2/api/vessels/self/radars/{radar}/arpa/settings", "Changes that", "object"),
            get("/signalk/v2/api/vessels/self/radars/_providers", "Who has radars", "object"),
        ],
    },
];

const PROVIDER: &[&str] = &["provider"];
const SEARCH: &[&str] = &["limit", "bbox", "position", "distance", "provider"];
const SPAN: &[&str] = &["from", "to", "duration"];
const PLACE: &[&str] = &["lat", "lon", "date", "count", "provider"];
