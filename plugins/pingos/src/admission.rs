//! Who may publish and play, and as whom.
//!
//! `app/channel/endpoint` is somebody in a channel; `app/stream` is a plain stream of no channel, where
//! outputs of tasks land. Whoever holds an endpoint's name may publish there: this API knows no keys
//! for media.

use heliu_sdk::{Attempt, Direction, Error, Grant, Refusal, Takeover};

use crate::channel::{AppId, Channel, Name};
use crate::config::Config;
use crate::task;

/// A player who comes before the publisher waits so long: an output is pullable a moment after its task
/// was created, and servers of this family let players wait.
const WAIT_MS: u32 = 5_000;

enum Target {
    Endpoint { channel: Channel, endpoint: Name },
    Plain { app: AppId, stream: Name },
}

/// Publishers by name, players always.
pub fn admit(attempt: &Attempt) -> Result<Grant, Refusal> {
    match attempt.direction {
        Direction::Publish => {
            let target = Target::of(attempt).ok_or_else(|| Refusal::new(403, "no name to publish under"))?;
            let takeover = target.takeover(attempt)?;
            Ok(target.grant().takeover(takeover))
        }
        Direction::Play => {
            let target = Target::of(attempt).ok_or_else(|| Refusal::new(404, "not found"))?;
            Ok(target.grant().wait_ms(WAIT_MS))
        }
    }
}

impl Target {
    fn of(attempt: &Attempt) -> Option<Self> {
        let name = |text: &str| Name::try_from(text.to_owned()).ok();
        match attempt.segments().as_slice() {
            [stream] => Some(Self::Plain { app: attempt.app.clone().try_into().ok()?, stream: name(stream)? }),
            [channel, endpoint] => {
                Some(Self::Endpoint { channel: Channel::new(&attempt.app, channel)?, endpoint: name(endpoint)? })
            }
            _ => None,
        }
    }

    fn grant(&self) -> Grant {
        match self {
            Self::Endpoint { channel, endpoint } => Grant::new(&channel.room(), endpoint.as_str(), endpoint.as_str()),
            Self::Plain { app, stream } => {
                Grant::new(&format!("plain/{app}/{stream}"), stream.as_str(), stream.as_str())
            }
        }
    }

    /// What happens to somebody who publishes here already. A reconnecting encoder takes its endpoint
    /// back; our own push never throws anybody out.
    fn takeover(&self, attempt: &Attempt) -> Result<Takeover, Refusal> {
        let is_own_push = attempt.protocol == "egress";
        match self {
            Self::Endpoint { .. } if is_own_push => Ok(Takeover::Refuse),
            Self::Endpoint { .. } => Ok(Takeover::Replace),
            Self::Plain { app, stream } => {
                if !self.may_publish_plain(is_own_push, &format!("{app}/{stream}"))? {
                    return Err(Refusal::new(403, "plain streams are closed to publishers"));
                }
                Ok(if is_own_push { Takeover::Refuse } else { Takeover::IfStalled })
            }
        }
    }

    fn may_publish_plain(&self, is_own_push: bool, place: &str) -> Result<bool, Error> {
        Ok(Config::read()?.plain_publish || (is_own_push && task::owns_place(place)?))
    }
}
