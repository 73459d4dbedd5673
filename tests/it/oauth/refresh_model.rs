//! The rules of refreshing, written down a second time from their description alone, and random lives of three clients, a
//! thief and two servers: each answer must be the one that the rules give.

use crate::support::{
    database::Database,
    now,
    sign_in::{Answer, CALLBACK, Client, NAME, PASSWORD, Site, both as tokens, but},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use google_reviews_mcp::{
    clock::Clock,
    model::{PersonName, hex, sha256_hex},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{cell::RefCell, collections::HashMap, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// All times are seconds.
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An answer may be lost, and the token before the newest come again, for so long in any case.
const GRACE: i64 = MINUTE;
const ACCESS: i64 = 15 * MINUTE;
const IDLE: i64 = 30 * DAY;
const LONGEST: i64 = 90 * DAY;
/// For so long, at most, a server lets in whom it let in before without looking again.
const REMEMBERED: i64 = MINUTE;
/// A connection that is over for so long may be gone from the database.
const FORGOTTEN: i64 = DAY;
/// The next key is made so long after the last began to sign.
const KEY: i64 = 29 * DAY;

const CLIENTS: usize = 3;
/// Of all servers, whichever address they listen on.
const PUBLIC: &str = "http://localhost:4444";

#[derive(Debug, Clone)]
enum Step {
    /// A client asks with the newest token that it knows.
    Refresh {
        client: usize,
        server: usize,
    },
    /// The same, and the answer does not arrive.
    Lost {
        client: usize,
        server: usize,
    },
    /// A client uses the access token that it got last.
    Use {
        client: usize,
        server: usize,
    },
    /// Somebody uses any access token that there ever was.
    UseAny {
        client: usize,
        server: usize,
        which: Index,
    },
    /// A thief asks with a refresh token that is so many places behind the newest.
    Replay {
        client: usize,
        server: usize,
        back: usize,
    },
    /// A client gives its connection back, showing this kind of token.
    Revoke {
        client: usize,
        server: usize,
        shows_access: bool,
    },
    Crash {
        server: usize,
    },
    Wait(i64),
}

/// Minutes matter to some rules, and weeks and months to others. Who lives for long is let alone by thieves.
fn steps(servers: usize) -> impl Strategy<Value = Vec<Step>> {
    let seconds = prop::sample::select(vec![1, 29, 30, 31, 59, 60, 61, 2 * MINUTE, 465, 899, 900, 901, 929, 930, HOUR]);
    let weeks = prop::sample::select(vec![MINUTE, 5 * DAY, 7 * DAY, 9 * DAY, 11 * DAY]);
    let months = prop::sample::select(vec![MINUTE, HOUR, DAY - 1, 14 * DAY, 28 * DAY, IDLE - 1, IDLE]);
    prop_oneof![
        4 => vec(prop_oneof![9 => honest(servers, seconds), 2 => mischief(servers)], 30..60),
        2 => vec(honest(servers, weeks), 60..80),
        1 => vec(prop_oneof![20 => honest(servers, months), 1 => mischief(servers)], 30..60),
    ]
}

fn honest(servers: usize, wait: impl Strategy<Value = i64> + 'static) -> impl Strategy<Value = Step> {
    let at = move || (0..CLIENTS, 0..servers);
    prop_oneof![
        10 => at().prop_map(|(client, server)| Step::Refresh { client, server }),
        6 => at().prop_map(|(client, server)| Step::Lost { client, server }),
        8 => at().prop_map(|(client, server)| Step::Use { client, server }),
        1 => (0..servers).prop_map(|server| Step::Crash { server }),
        12 => wait.prop_map(Step::Wait),
    ]
}

fn mischief(servers: usize) -> impl Strategy<Value = Step> {
    let at = move || (0..CLIENTS, 0..servers);
    prop_oneof![
        3 => (at(), any::<Index>()).prop_map(|((client, server), which)| Step::UseAny { client, server, which }),
        4 => (at(), prop::sample::select(vec![0, 1, 1, 1, 1, 2, 3, 7]))
            .prop_map(|((client, server), back)| Step::Replay { client, server, back }),
        1 => (at(), any::<bool>())
            .prop_map(|((client, server), shows_access)| Step::Revoke { client, server, shows_access }),
    ]
}

/// A connection, as the rules have it.
#[derive(Debug, Clone)]
struct Rules {
    newest: usize,
    replaced_at: i64,
    /// Whether anybody has shown a token of the newest generation.
    is_used: bool,
    idle_until: i64,
    ends_at: i64,
    revoked_at: Option<i64>,
}

/// What a refresh is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Tokens { generation: usize, expires_in: i64 },
    Over,
}

impl Rules {
    fn begin(now: i64) -> Self {
        let (idle_until, ends_at) = (now + IDLE, now + LONGEST);
        Self { newest: 1, replaced_at: now, is_used: false, idle_until, ends_at, revoked_at: None }
    }

    /// When it ended, if it did.
    fn ended(&self, now: i64) -> Option<i64> {
        let end = self.revoked_at.into_iter().chain([self.idle_until, self.ends_at]).min()?;
        (end <= now).then_some(end)
    }

    /// Whether the database may have nothing of it any more.
    fn is_forgotten(&self, now: i64) -> bool {
        self.ended(now).is_some_and(|end| now - end >= FORGOTTEN)
    }

    /// Whether a token of this generation is one that must not come any more.
    fn is_stolen(&self, generation: usize, now: i64) -> bool {
        match self.newest - generation {
            0 => false,
            1 => self.is_used && now - self.replaced_at > GRACE,
            _ => true,
        }
    }

    fn refresh(&mut self, generation: usize, now: i64) -> Given {
        if self.is_stolen(generation, now) {
            self.revoke(now);
        }
        if self.ended(now).is_some() {
            return Given::Over;
        }
        if generation == self.newest {
            self.newest += 1;
            (self.replaced_at, self.is_used, self.idle_until) = (now, false, now + IDLE);
        }
        Given::Tokens { generation: self.newest, expires_in: ACCESS.min(self.ends_at - now) }
    }

    fn revoke(&mut self, now: i64) {
        self.revoked_at = self.revoked_at.or(Some(now));
    }
}

#[derive(Debug, Clone)]
struct Access {
    text: String,
    generation: usize,
    expires_at: i64,
}

/// Whom a server has let in a moment ago. It forgets all of them when it revokes anything itself.
#[derive(Debug, Default)]
struct Memory(HashMap<String, i64>);

impl Memory {
    fn has(&self, access: &Access, now: i64) -> bool {
        access.expires_at > now && self.0.get(&access.text).is_some_and(|forgotten_at| *forgotten_at > now)
    }
}

/// A server that can be killed: all of it runs on a runtime of its own.
struct Server {
    site: Site,
    runtime: Runtime,
}

impl Server {
    fn start(database: &Database, clock: &Clock) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let settings = [("server.public_url", PUBLIC)];
        let site = runtime.block_on(Site::beside(database, clock.clone(), &settings));
        Self { site, runtime }
    }

    /// Whatever it does ends where it is.
    fn kill(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(10));
    }
}

/// A client and its connection, in truth and by the rules.
struct Life {
    client: Client,
    rules: Rules,
    /// All refresh tokens, by generation.
    refresh: Vec<String>,
    /// All access tokens.
    accesses: Vec<Access>,
    /// What the client knows: a generation, and a place among the access tokens.
    known: (usize, usize),
    /// Whether anybody but the client had a hand in it.
    is_touched: bool,
}

impl Life {
    /// Notes what was answered, which must be what is expected.
    #[track_caller]
    fn note(&mut self, answer: &Answer, expected: Given, now: i64) {
        let Given::Tokens { generation, expires_in } = expected else {
            let found = (answer.status, answer.error());
            // A client that nobody has used for as long as a connection may last is forgotten.
            let is_forgotten = self.rules.ends_at <= now && found == (401, "invalid_client".to_owned());
            assert!(is_forgotten || found == (400, "invalid_grant".to_owned()), "{answer:?}");
            return;
        };
        let (text, refresh) = tokens(answer);
        assert_eq!(answer.json()["expires_in"], expires_in, "{answer:?}");
        assert_eq!(place(&refresh).1, generation);
        if generation > self.refresh.len() {
            assert!(!self.refresh.contains(&refresh));
            self.refresh.push(refresh);
        } else {
            assert_eq!(self.refresh[generation - 1], refresh, "the same successor");
        }
        self.accesses.push(Access { text, generation, expires_at: now + expires_in });
    }

    fn learn(&mut self) {
        self.known = (self.rules.newest, self.accesses.len() - 1);
    }
}

/// The grant and the generation that a refresh token names.
fn place(token: &str) -> (String, usize) {
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_start_matches("grr_")).unwrap();
    let generation = u32::from_be_bytes(bytes[16..20].try_into().unwrap());
    (hex(&bytes[..16]), usize::try_from(generation).unwrap())
}

/// How often what matters came to pass: lives in which it does not prove nothing.
#[derive(Debug, Default)]
struct Seen {
    rotations: u32,
    same_within_the_minute: u32,
    same_later: u32,
    kills_of_the_last_but_one: u32,
    kills_of_older: u32,
    honest_recoveries: u32,
    idle_ends: u32,
    absolute_ends: u32,
    remembered_though_revoked: u32,
    refused_accesses: u32,
    crashes: u32,
}

struct World {
    /// First, so that servers are gone before their database.
    servers: Vec<Option<Server>>,
    database: Database,
    clock: Clock,
    memories: Vec<Memory>,
    lives: Vec<Life>,
    clients: usize,
    seen: Seen,
    runtime: Runtime,
}

impl World {
    fn new(make: impl AsyncFnOnce() -> Database, servers: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (database, clock) = (runtime.block_on(make()), Clock::manual(now()));
        let servers: Vec<_> = (0..servers).map(|_| Some(Server::start(&database, &clock))).collect();
        let memories = servers.iter().map(|_| Memory::default()).collect();
        let world =
            Self { servers, database, clock, memories, lives: Vec::new(), clients: 0, seen: Seen::default(), runtime };
        let people = world.site(0).server.app.people().unwrap();
        world.runtime.block_on(people.add(PersonName::parse(NAME).unwrap(), Some(PASSWORD))).unwrap();
        world
    }

    fn site(&self, server: usize) -> &Site {
        &self.servers[server].as_ref().unwrap().site
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    fn refresh(&self, server: usize, client: usize, generation: usize) -> Answer {
        let life = &self.lives[client];
        self.runtime.block_on(self.site(server).refresh(&life.client, &life.refresh[generation - 1]))
    }

    fn restart(&mut self, server: usize) {
        if let Some(running) = self.servers[server].take() {
            running.kill();
        }
        self.servers[server] = Some(Server::start(&self.database, &self.clock));
        self.memories[server] = Memory::default();
    }

    /// A new client, and a person who agrees to it.
    fn connect(&mut self) -> Life {
        self.clients += 1;
        let (site, name) = (self.site(0), format!("Client {}", self.clients));
        let connecting = async {
            let client = site.register(&name, "none", CALLBACK).await;
            let asking = but(&site.asking(&client), "resource", "");
            let code = site.signed_in().await.agree(&asking).await.parameter("code").unwrap();
            let answer = site.token(&but(&site.exchanging(&client, &code), "resource", "")).await;
            (client, answer)
        };
        let ((client, answer), now) = (self.runtime.block_on(connecting), self.now());
        let (refresh, accesses, rules) = (Vec::new(), Vec::new(), Rules::begin(now));
        let mut life = Life { client, rules, refresh, accesses, known: (1, 0), is_touched: false };
        life.note(&answer, Given::Tokens { generation: 1, expires_in: ACCESS }, now);
        life
    }

    /// Plays one life from its beginning, with new connections on servers that go on.
    fn play(&mut self, steps: &[Step]) {
        for server in 0..self.servers.len() {
            if self.servers[server].is_none() {
                self.restart(server);
            }
        }
        self.lives = (0..CLIENTS).map(|_| self.connect()).collect();
        for step in steps {
            self.take(step);
            self.look();
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Refresh { client, server } => self.ask_honestly(client, server, true),
            Step::Lost { client, server } => self.ask_honestly(client, server, false),
            Step::Use { client, server } => self.show(client, server, self.lives[client].known.1),
            Step::UseAny { client, server, ref which } => {
                let life = &mut self.lives[client];
                // Whether it is the client who does it cannot be told.
                life.is_touched = true;
                let which = which.index(life.accesses.len());
                self.show(client, server, which);
            }
            Step::Replay { client, server, back } => self.replay(client, server, back),
            Step::Revoke { client, server, shows_access } => self.give_back(client, server, shows_access),
            Step::Crash { server } => {
                self.seen.crashes += 1;
                self.restart(server);
            }
            Step::Wait(seconds) => self.wait(seconds),
        }
    }

    fn ask_honestly(&mut self, client: usize, server: usize, arrives: bool) {
        let (now, before) = (self.now(), self.lives[client].rules.clone());
        let known = self.lives[client].known.0;
        self.ask(client, server, known);
        let life = &mut self.lives[client];
        if let Some(end) = life.rules.ended(now) {
            // Nobody loses a connection by losing answers.
            let is_over = life.rules.idle_until.min(life.rules.ends_at) <= now;
            assert!(is_over || life.is_touched, "an honest client lost its connection: {before:?}");
            self.seen.idle_ends += u32::from(end == life.rules.idle_until);
            self.seen.absolute_ends += u32::from(end == life.rules.ends_at);
            self.lives[client] = self.connect();
        } else if arrives {
            self.seen.honest_recoveries += u32::from(before.newest > known);
            life.learn();
        }
    }

    fn replay(&mut self, client: usize, server: usize, back: usize) {
        let (now, life) = (self.now(), &mut self.lives[client]);
        if life.rules.is_forgotten(now) {
            return;
        }
        life.is_touched = true;
        let generation = life.rules.newest.saturating_sub(back).max(1);
        let distance = life.rules.newest - generation;
        let was_alive = life.rules.ended(now).is_none();
        self.ask(client, server, generation);
        let newest = self.lives[client].rules.newest;
        if distance >= 2 {
            let answer = self.refresh(server, client, newest);
            assert_ne!(answer.status, 200, "the newest token outlived a replay of one {distance} places back");
            self.seen.kills_of_older += u32::from(was_alive);
        }
    }

    /// Asks with a token of this generation, whoever does.
    fn ask(&mut self, client: usize, server: usize, generation: usize) {
        let now = self.now();
        let rules = &mut self.lives[client].rules;
        let (before, is_stolen) = (rules.clone(), rules.is_stolen(generation, now));
        let expected = rules.refresh(generation, now);
        let answer = self.refresh(server, client, generation);
        self.lives[client].note(&answer, expected, now);
        if is_stolen {
            self.memories[server] = Memory::default();
        }
        let is_given = expected != Given::Over;
        let (is_newest, is_recent) = (generation == before.newest, now - before.replaced_at <= GRACE);
        self.seen.rotations += u32::from(is_given && is_newest);
        self.seen.same_within_the_minute += u32::from(is_given && !is_newest && is_recent && before.is_used);
        self.seen.same_later += u32::from(is_given && !is_newest && !is_recent);
        let is_last_but_one = generation + 1 == before.newest;
        self.seen.kills_of_the_last_but_one += u32::from(is_stolen && is_last_but_one && before.ended(now).is_none());
    }

    /// Shows one of the access tokens of a client.
    fn show(&mut self, client: usize, server: usize, which: usize) {
        let now = self.now();
        let (life, memory) = (&mut self.lives[client], &mut self.memories[server]);
        let access = &life.accesses[which];
        let is_remembered = memory.has(access, now);
        let is_valid = now < access.expires_at && life.rules.revoked_at.is_none();
        if is_valid && !is_remembered {
            memory.0.insert(access.text.clone(), now + REMEMBERED);
            life.rules.is_used |= life.rules.newest == access.generation;
        }
        self.seen.remembered_though_revoked += u32::from(is_remembered && !is_valid);
        self.seen.refused_accesses += u32::from(!is_remembered && !is_valid);
        let text = life.accesses[which].text.clone();
        let status = self.runtime.block_on(self.site(server).opens(&text));
        assert_eq!(status, if is_remembered || is_valid { 200 } else { 401 });
    }

    fn give_back(&mut self, client: usize, server: usize, shows_access: bool) {
        let (now, site) = (self.now(), self.servers[server].as_ref().unwrap());
        let life = &mut self.lives[client];
        if life.rules.is_forgotten(now) {
            return;
        }
        life.rules.revoke(now);
        life.is_touched = true;
        let token = if shows_access { &life.accesses[life.known.1].text } else { &life.refresh[life.known.0 - 1] };
        let fields = [("token", token.as_str()), ("client_id", &life.client.id)];
        let answer = self.runtime.block_on(site.site.post("/revoke", &fields));
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        self.memories[server] = Memory::default();
        for server in 0..self.servers.len() {
            self.show(client, server, self.lives[client].known.1);
        }
    }

    /// Lets time pass. A key that is due then is made at once, so that no server signs with one that another cannot know;
    /// unless the servers were still busy with the time before, and then it is made in its time.
    fn wait(&mut self, seconds: i64) {
        self.clock.advance(Duration::from_secs(u64::try_from(seconds).unwrap()));
        let latest = (self.now() - KEY) * 1_000;
        for _ in 0..100 {
            let newest = self.database.numbers("SELECT MAX(signs_from_ms) FROM signing_keys");
            if seconds < HOUR || self.runtime.block_on(newest)[0] > latest {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the database has of each connection is what the rules have: one token that is the newest, and no other.
    fn look(&self) {
        const ALL: &str = "SELECT id || ' ' || generation || ' ' || token_hash || ' ' ||
            CASE WHEN revoked_at_ms IS NULL THEN 'holds' ELSE 'revoked' END FROM grants WHERE generation > 0";
        let (rows, now) = (self.runtime.block_on(self.database.texts(ALL)), self.now());
        for life in &self.lives {
            let (id, rules) = (place(&life.refresh[0]).0, &life.rules);
            let state = if rules.revoked_at.is_none() { "holds" } else { "revoked" };
            let expected = format!("{id} {} {} {state}", rules.newest, sha256_hex(life.refresh.last().unwrap()));
            let found: Vec<_> = rows.iter().filter(|row| row.starts_with(&id)).collect();
            let is_gone = found.is_empty() && rules.is_forgotten(now);
            assert!(found == [&expected] || is_gone, "{found:?}, not {expected}");
        }
    }
}

/// How many lives are played, each of some 45 steps.
fn lives() -> u32 {
    std::env::var("REFRESH_LIVES").map_or(30, |lives| lives.parse().expect("a number of lives"))
}

fn play(make: impl AsyncFnOnce() -> Database, servers: usize) -> Seen {
    let world = RefCell::new(World::new(make, servers));
    let config = Config { cases: lives(), failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let played = runner.run(&steps(servers), |steps| {
        world.borrow_mut().play(&steps);
        Ok(())
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
    let mut world = world.into_inner();
    world.servers.drain(..).flatten().for_each(Server::kill);
    std::mem::take(&mut world.seen)
}

/// Everything that the rules tell apart came to pass.
fn is_worth_something(seen: &Seen) {
    let Seen { rotations, same_within_the_minute, same_later, kills_of_the_last_but_one, kills_of_older, .. } = *seen;
    let Seen { honest_recoveries, idle_ends, absolute_ends, refused_accesses, crashes, .. } = *seen;
    let answers = [rotations, same_within_the_minute, same_later, kills_of_the_last_but_one, kills_of_older];
    let rest = [honest_recoveries, idle_ends, absolute_ends, refused_accesses, crashes];
    assert!(answers.iter().chain(&rest).all(|times| *times > 0), "{seen:?}");
}

#[test]
fn three_clients_and_a_thief_get_what_the_rules_say_of_a_server_that_is_killed_again_and_again() {
    let seen = play(async || Database::sqlite(), 1);
    is_worth_something(&seen);
}

#[test]
fn three_clients_and_a_thief_get_what_the_rules_say_of_two_servers_on_one_database() {
    let seen = play(Database::postgres, 2);
    is_worth_something(&seen);
    assert!(seen.remembered_though_revoked > 0, "{seen:?}");
}
