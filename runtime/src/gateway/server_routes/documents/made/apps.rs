//! Who may do what, what apps and plugins are, and what apps keep here.

use super::operation::{Api, delete, get, post, put};

pub const APIS: &[Api] = &[
    Api {
        name: "security",
        title: "Who is who",
        says: "Logging in, devices that ask to be let in, and what admins do about both: users, devices, tokens.",
        operations: &[
            get("/skServer/loginStatus", "Who is logged in", "LoginStatus").of_all(),
            post("/signalk/v1/auth/login", "Logs in", "Login").of_all().gives(200, "LoggedIn"),
            post("/signalk/v1/auth/validate", "Tells how long a token is good for", "").of_all().gives(200, "object"),
            put("/signalk/v1/auth/logout", "Logs out", "").of_all().gives(200, "any"),
            post("/signalk/v1/access/requests", "A device asks to be let in", "AccessRequest")
                .of_all()
                .gives(202, "State"),
            get("/signalk/v1/requests/{request}", "What became of a request", "State").of_all().also(202),
            get("/skServer/security/config", "Settings of security", "object").of_admin(),
            put("/skServer/security/config", "Changes whether guests may read", "SecurityConfig")
                .of_admin()
                .gives(200, "text"),
            get("/skServer/security/users", "Users", "User[]").of_admin(),
            get("/skServer/security/users/{user}", "A user", "User").of_admin(),
            post("/skServer/security/users/{user}", "Adds a user", "NewUser").of_admin().gives(200, "text"),
            put("/skServer/security/users/{user}", "Changes a user", "ChangedUser").of_admin().gives(200, "text"),
            delete("/skServer/security/users/{user}", "Removes a user").of_admin().gives(200, "text"),
            put("/skServer/security/user/{user}/password", "Changes a password", "text").of_admin().gives(200, "text"),
            get("/skServer/security/devices", "Devices that are let in", "Device[]").of_admin(),
            put("/skServer/security/devices/{device}", "Changes a device", "ChangedDevice")
                .of_admin()
                .gives(200, "text"),
            delete("/skServer/security/devices/{device}", "Lets a device in no longer").of_admin().gives(200, "text"),
            get("/skServer/security/access/requests", "Devices that wait for an answer", "object[]").of_admin(),
            put("/skServer/security/access/requests/{device}/approved", "Lets a device in", "Approval")
                .of_admin()
                .gives(200, "text"),
            put("/skServer/security/access/requests/{device}/denied", "Does not", "").of_admin().gives(200, "text"),
            get("/skServer/security/tokens", "Tokens by name; not what they are", "object[]").of_admin(),
            post("/skServer/security/tokens/{token}", "Makes a token, which is told once", "NewToken")
                .of_admin()
                .gives(201, "object"),
            delete("/skServer/security/tokens/{token}", "Revokes a token").of_admin().gives(200, "text"),
            post("/skServer/security/signInCode", "Makes a code that logs in the owner once", "")
                .of_admin()
                .gives(200, "object"),
        ],
    },
    Api {
        name: "apps",
        title: "Plugins and web apps",
        says: "What is installed, what it is configured with, and what the registry has. A plugin's own endpoints stand in its own papers.",
        operations: &[
            get("/signalk/v1/apps/list", "Web apps", "WebApp[]"),
            get("/skServer/webapps", "Web apps, with what their packages say", "object[]"),
            get("/skServer/addons", "Parts of web apps for the admin UI", "object[]"),
            get("/plugins", "Plugins", "Plugin[]"),
            get("/skServer/plugins", "Plugins", "Plugin[]"),
            get("/plugins/{plugin}", "A plugin", "object"),
            get("/plugins/{plugin}/config", "What it is configured with", "PluginConfig").of_admin(),
            post("/plugins/{plugin}/config", "Configures it, and enables or disables it", "PluginConfig")
                .of_admin()
                .by(GRANT)
                .gives(200, "any"),
            get("/skiff/v1/plugins/{plugin}/log", "Its log", "plain").of_admin(),
            post("/skiff/v1/plugins", "Installs a package", "tgz").of_admin().by(GRANT).gives(201, "Installed"),
            delete("/skiff/v1/plugins/{plugin}", "Removes a package").of_admin().gives(200, "any"),
            post("/skiff/v1/plugins/{plugin}/reload", "Reads it again", "").of_admin().gives(201, "Installed"),
            post("/skiff/v1/plugins/{plugin}/rollback", "Puts the version before in force again", "")
                .of_admin()
                .gives(201, "Installed"),
            get("/skiff/v1/webapps", "Web apps without a plugin, and whether they are served", "Installed[]"),
            post("/skiff/v1/webapps/{webapp}", "Has one served, or not", "Enabled")
                .of_admin()
                .by(GRANT)
                .gives(200, "any"),
            get("/skServer/appstore/available", "What the registry has", "object").of_admin(),
            get("/skServer/appstore/plugin/{package}", "One of its packages", "object").of_admin(),
            get("/skServer/appstore/datasize/{package}", "Bytes that a package keeps here", "object").of_admin(),
            get("/skServer/appstore/installLog/{package}", "How its installation went", "object").of_admin(),
            post("/skServer/appstore/refresh", "Asks the registry anew", "").of_admin().gives(200, "object"),
            post("/skServer/appstore/install/{package}/{version}", "Installs a version", "")
                .of_admin()
                .gives(200, "text"),
            post("/skServer/appstore/remove/{package}", "Removes a package", "Removal").of_admin().gives(200, "text"),
        ],
    },
    Api {
        name: "applicationData",
        title: "What apps keep",
        says: "JSON documents of apps, for all or for the user who is logged in. A document's members are found below it.",
        operations: &[
            get("/signalk/v1/applicationData/global/{app}", "Versions of an app's documents for all", "text[]"),
            get("/signalk/v1/applicationData/global/{app}/{appVersion}", "The document", "any").by(&["keys"]),
            post(
                "/signalk/v1/applicationData/global/{app}/{appVersion}",
                "Keeps it: all of it, or a list of changes (RFC 6902)",
                "any",
            )
            .of_admin()
            .gives(200, "any"),
            get("/signalk/v1/applicationData/global/{app}/{appVersion}/{member}", "A member of it", "any"),
            post("/signalk/v1/applicationData/global/{app}/{appVersion}/{member}", "Keeps a member", "any")
                .of_admin()
                .gives(200, "any"),
            get("/signalk/v1/applicationData/user/{app}", "Versions of an app's documents for a user", "text[]"),
            get("/signalk/v1/applicationData/user/{app}/{appVersion}", "The document", "any").by(&["keys"]),
            post(
                "/signalk/v1/applicationData/user/{app}/{appVersion}",
                "Keeps it: all of it, or a list of changes (RFC 6902)",
                "any",
            )
            .gives(200, "any"),
            get("/signalk/v1/applicationData/user/{app}/{appVersion}/{member}", "A member of it", "any"),
            post("/signalk/v1/applicationData/user/{app}/{appVersion}/{member}", "Keeps a member", "any")
                .gives(200, "any"),
        ],
    },
];

const GRANT: &[&str] = &["grant"];
