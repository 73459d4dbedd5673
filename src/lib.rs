//! map to come
pub mod clock;
pub mod config;
pub mod emulator;
pub mod google;
pub mod health;
pub mod model;
pub mod tasks;
pub mod telemetry;
