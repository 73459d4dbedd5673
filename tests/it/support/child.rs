//! A test that runs itself again as a process of its own, for what ends a process or can be seen of a whole process only.

use std::{
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Marks the process that a test began.
const MARK: &str = "TEST_IS_CHILD";

/// Whether this process was begun by [`again`], for the test that asks.
pub(crate) fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// How a process ended, and what it wrote.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// Runs a test again, by its module and name, until it ends or, at the latest, `limit` is over.
pub(crate) fn again(module: &str, test: &str, limit: Duration) -> Ended {
    again_with(module, test, limit, &[])
}

/// The same with more variables in its environment.
pub(crate) fn again_with(module: &str, test: &str, limit: Duration, variables: &[(&str, &str)]) -> Ended {
    let began = Instant::now();
    let (_, path) = module.split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{path}::{test}"), "--nocapture"])
        .env(MARK, "1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read_out = std::thread::spawn(move || read(&mut out));
    let read_err = std::thread::spawn(move || read(&mut err));
    let status = wait(&mut child, limit);
    Ended { status, stdout: read_out.join().unwrap(), stderr: read_err.join().unwrap(), took: began.elapsed() }
}

fn read(pipe: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn wait(child: &mut Child, limit: Duration) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > limit {
            child.kill().unwrap();
            return child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
