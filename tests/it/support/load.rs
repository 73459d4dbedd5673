//! What a process uses, as the kernel counts it, and load that ends by itself.

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Memory that is really there and is the process's own, in bytes: pages of the program itself, of which a build for tests
/// has many, are not counted.
pub(crate) fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// Open files and sockets.
pub(crate) fn open_files(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

/// Processor time since the start.
pub(crate) fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in parentheses, may hold anything; after it, user and system time are the 12th and 13th field.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // The kernel counts in hundredths of a second, whatever its own clock is.
    Duration::from_millis(10 * ticks)
}

/// A process that does nothing but use one processor, at most for a minute.
pub(crate) struct Busy(Child);

impl Busy {
    pub(crate) fn on(processor: &str) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", processor, "timeout", "60", "sh", "-c", "while :; do :; done"]);
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // `timeout` passes it on to the shell.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
