//! HTTP by hand, for what a client library hides.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A response as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header, empty without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// A connection that is kept alive over several requests.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request; `headers` is lines of `Name: value`.
    pub(crate) fn send(&mut self, method: &str, target: &str, headers: &[&str]) {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for header in headers {
            text += header;
            text += "\r\n";
        }
        self.0.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
    }

    /// Reads a response whose length is announced.
    pub(crate) fn receive(&mut self, method: &str) -> Reply {
        let mut line = || {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let first = line();
        let status =
            first.split(' ').nth(1).unwrap_or_else(|| panic!("{first:?}")).parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = line();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut reply = Reply { status, headers, body: Vec::new() };
        if method != "HEAD" && status != 304 {
            reply.body = vec![0; reply.header("content-length").parse().unwrap()];
            self.0.read_exact(&mut reply.body).unwrap();
        }
        reply
    }

    pub(crate) fn ask(&mut self, method: &str, target: &str, headers: &[&str]) -> Reply {
        self.send(method, target, headers);
        self.receive(method)
    }

    /// What arrives until the server ends the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        rest
    }
}
