//! The decompressors of a tar, each with a bound on its memory, each reading to the very end of its input.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use xz2::bufread::XzDecoder;
use xz2::stream::MtStreamBuilder;

use super::Cause;
use super::format::Compression;
use super::input::{CHUNK, FilePart};

/// Reads the tar inside `source`. Several members, streams or frames one after the other are one tar, as the formats
/// have it; anything else behind them is an error.
pub fn decoder(
    source: FilePart,
    compression: Compression,
    memory: u64,
    threads: usize,
) -> io::Result<Box<dyn Read + Send>> {
    if compression == Compression::None {
        return Ok(Box::new(source));
    }
    let source = BufReader::with_capacity(CHUNK, source);
    Ok(match compression {
        Compression::None | Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
        Compression::Xz => Box::new(XzStreams::new(source, memory, threads)?),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(window_log(memory))?;
            Box::new(decoder)
        }
    })
}

/// Bytes that decoding several blocks of one stream at the same time may take: two of the 24 MiB blocks that
/// `dpkg-deb` writes, read and written. With larger ones liblzma goes on with one thread.
const THREADING_MEMORY: u64 = 64 << 20;

/// The largest window whose decoder stays within `memory`: half of it, as a power of two (RFC 8878, section 3.1.1.1.2
/// has the smallest, 1 KiB).
fn window_log(memory: u64) -> u32 {
    const SMALLEST: u32 = 10;
    const LARGEST: u32 = if cfg!(target_pointer_width = "32") {
        30
    } else {
        31
    };
    (memory / 2)
        .checked_ilog2()
        .unwrap_or(SMALLEST)
        .clamp(SMALLEST, LARGEST)
}

/// Says what a decoder's error means; `memory` is what it was allowed.
pub fn failure(error: io::Error, memory: u64) -> Cause {
    let wants_memory = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<xz2::stream::Error>())
        .is_some_and(|e| matches!(e, xz2::stream::Error::MemLimit))
        // zstd's errors are text only.
        || error.to_string().contains("too much memory");
    if wants_memory {
        Cause::DecoderMemory { limit: memory }
    } else {
        Cause::Damaged { source: error }
    }
}

/// One or more xz streams with the padding between them (the .xz file format, sections 2 and 2.2), their blocks decoded
/// in parallel where there are several.
struct XzStreams<R> {
    decoder: Option<XzDecoder<R>>,
    memory: u64,
    threads: u32,
}

impl<R: BufRead> XzStreams<R> {
    fn new(source: R, memory: u64, threads: usize) -> io::Result<Self> {
        let mut streams = Self {
            decoder: None,
            memory,
            threads: u32::try_from(threads).unwrap_or(u32::MAX).clamp(1, 256),
        };
        streams.decoder = Some(streams.stream(source)?);
        Ok(streams)
    }

    fn stream(&self, source: R) -> io::Result<XzDecoder<R>> {
        let stream = MtStreamBuilder::new()
            .threads(self.threads)
            // Beyond this it goes on with one thread, which decodes without buffers of whole blocks …
            .memlimit_threading(match self.threads {
                1 => 1,
                _ => self.memory.min(THREADING_MEMORY),
            })
            // … and beyond this it stops.
            .memlimit_stop(self.memory)
            .decoder()?;
        Ok(XzDecoder::new_stream(source, stream))
    }
}

impl<R: BufRead> Read for XzStreams<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let n = decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Some(decoder) = self.decoder.take() else {
                break;
            };
            let mut source = decoder.into_inner();
            if skip_padding(&mut source)? {
                self.decoder = Some(self.stream(source)?);
            }
        }
        Ok(0)
    }
}

/// Whether another stream follows.
fn skip_padding(source: &mut impl BufRead) -> io::Result<bool> {
    let mut padding = 0_u64;
    loop {
        let bytes = source.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&b| b == 0).count();
        let ended = bytes.is_empty();
        let follows = zeros < bytes.len();
        source.consume(zeros);
        padding += zeros as u64;
        if (ended || follows) && !padding.is_multiple_of(4) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "data after the end of the xz stream",
            ));
        }
        if ended || follows {
            return Ok(follows);
        }
    }
}
