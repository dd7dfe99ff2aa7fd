using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace PsyLite.ModelStore;

/// <summary>Writes bytes at a place of a file; the seam at which tests let the disk be full.</summary>
internal delegate ValueTask WriteAt(SafeFileHandle file, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellationToken);

/// <summary>
/// Fetches one file of known size over several connections into a partial file, and can go on after any break: of a connection, of the
/// server, of this program. Whether the bytes are the right ones is for the caller to verify.
/// </summary>
internal sealed class RangedDownload(HubHttp http, DownloadLimits limits, TimeProvider time, int seed, WriteAt? write = null)
{
    private const int BufferBytes = 1 << 17;

    /// <summary>How often a file may be another one in the middle of its download.</summary>
    private const int MaxChanges = 2;
    private readonly WriteAt _write = write ?? ((file, bytes, offset, cancellationToken) => RandomAccess.WriteAsync(file, bytes, offset, cancellationToken));

    /// <param name="partial">Partial file; <see cref="RangeJournal"/> lies beside it.</param>
    /// <param name="progress">Bytes that arrived; negative when some must be fetched again.</param>
    /// <exception cref="PullException">It cannot be fetched; what arrived is kept for the next try.</exception>
    /// <exception cref="IOException">The disk is full or cannot be written; what arrived is kept.</exception>
    public async Task FetchAsync(RemoteFile file, string partial, Action<long> progress, CancellationToken cancellationToken)
    {
        using var journal = RangeJournal.Open(partial, file.Bytes);
        using var target = File.OpenHandle(partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);
        for (var changes = 0; ; changes++)
        {
            var fetched = new Fetch(this, file, journal, target, progress);
            try
            {
                await fetched.RunAsync(cancellationToken);
                return;
            }
            catch (ChangedFileException) when (changes < MaxChanges)
            {
                progress(-journal.Bytes);
                journal.Clear();
            }
            catch (ChangedFileException)
            {
                throw new PullException($"{file.Address.Host} gives another copy of the file each time; try later or another mirror.");
            }
        }
    }

    private sealed class ChangedFileException : Exception;

    private sealed class RangesIgnoredException : Exception;

    /// <summary>One go at a file: a first request that shows what the server can do, then the rest.</summary>
    private sealed class Fetch(RangedDownload settings, RemoteFile file, RangeJournal journal, SafeFileHandle target, Action<long> progress)
    {
        private readonly ConcurrentQueue<(long Start, long End)> _parts = new(journal.Missing(file.Bytes, settings.LimitsOf.PartBytes));

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            if (!_parts.TryDequeue(out var first))
            {
                return;
            }

            try
            {
                await PartAsync(first, new Random(settings.Seed), cancellationToken);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var workers = Enumerable.Range(1, settings.LimitsOf.Connections).Select(n => WorkAsync(n, stop)).ToArray();
                await AllAsync(workers, cancellationToken);
            }
            catch (RangesIgnoredException)
            {
                await WholeAsync(cancellationToken);
            }
        }

        /// <summary>Of several faults the first that is not the echo of another.</summary>
        private static async Task AllAsync(Task[] workers, CancellationToken cancellationToken)
        {
            try
            {
                await Task.WhenAll(workers);
            }
            catch
            {
                cancellationToken.ThrowIfCancellationRequested();
                var faults = workers.Where(w => w.IsFaulted).Select(w => w.Exception!.InnerException!).ToList();
                var telling = faults.FirstOrDefault(f => f is not RangesIgnoredException) ?? faults[0];
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(telling);
            }
        }

        private async Task WorkAsync(int worker, CancellationTokenSource stop)
        {
            try
            {
                var random = new Random(settings.Seed + worker);
                while (_parts.TryDequeue(out var part))
                {
                    await PartAsync(part, random, stop.Token);
                }
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }

        /// <summary>A range, in as many requests as it takes; one that brought something does not count as failed.</summary>
        private async Task PartAsync((long Start, long End) part, Random random, CancellationToken cancellationToken)
        {
            var (at, failures) = (part.Start, 0);
            while (at < part.End)
            {
                var before = at;
                try
                {
                    using var response = await RangeAsync(at, part.End, cancellationToken);
                    at = await CopyAsync(response, at, part.End, cancellationToken);
                }
                catch (BrokenRangeException broken)
                {
                    at = broken.At;
                    await PauseAsync(broken.Fault, at > before ? failures = 1 : ++failures, random, cancellationToken);
                }
                catch (TransientPullException fault)
                {
                    await PauseAsync(fault, ++failures, random, cancellationToken);
                }
            }
        }

        private async Task PauseAsync(TransientPullException fault, int failures, Random random, CancellationToken cancellationToken)
        {
            if (failures >= settings.LimitsOf.Attempts)
            {
                throw new PullException($"{fault.Message}, {failures} times in a row; {journal.Bytes / 1e6:F0} of {file.Bytes / 1e6:F0} MB are kept: run the same command again to go on.", fault);
            }

            await Task.Delay(settings.LimitsOf.Pause(failures, fault.RetryAfter, random), settings.Time, cancellationToken);
        }

        private async Task<HttpResponseMessage> RangeAsync(long start, long end, CancellationToken cancellationToken)
        {
            // Each request begins at the first address: a signed one behind its redirect may have run out by now.
            var response = await settings.Http.SendAsync(HttpMethod.Get, file.Address, r => r.Headers.Range = new RangeHeaderValue(start, end - 1), cancellationToken);
            try
            {
                settings.Http.Check(response, "the file", settings.Http.IsOrigin(response.RequestMessage!.RequestUri!));
                if (response.StatusCode != HttpStatusCode.PartialContent)
                {
                    throw new RangesIgnoredException();
                }

                var range = response.Content.Headers.ContentRange;
                if (range is { HasLength: true } && range.Length != file.Bytes)
                {
                    throw new PullException($"{response.RequestMessage!.RequestUri!.Host} has {range.Length} bytes where {file.Bytes} were announced: try another mirror.");
                }

                if (range is not { HasRange: true, From: { } from } || from != start)
                {
                    throw new TransientPullException($"{response.RequestMessage!.RequestUri!.Host} sent another part than was asked for");
                }

                CheckValidator(response);
                return response;
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }

        private void CheckValidator(HttpResponseMessage response)
        {
            if (response.Headers.ETag is not { IsWeak: false, Tag: { Length: < 256 } tag } || tag.Contains('\n', StringComparison.Ordinal))
            {
                return;
            }

            lock (journal)
            {
                if (journal.Validator is null)
                {
                    journal.SetValidator(tag);
                }
                else if (journal.Validator != tag)
                {
                    throw new ChangedFileException();
                }
            }
        }

        /// <summary>For servers that send everything whatever is asked: from the beginning, each time.</summary>
        private async Task WholeAsync(CancellationToken cancellationToken)
        {
            var random = new Random(settings.Seed);
            for (var failures = 1; ; failures++)
            {
                progress(-journal.Bytes);
                journal.Clear();
                try
                {
                    using var response = await settings.Http.SendAsync(HttpMethod.Get, file.Address, null, cancellationToken);
                    settings.Http.Check(response, "the file", settings.Http.IsOrigin(response.RequestMessage!.RequestUri!));
                    if (response.Content.Headers.ContentLength is { } length && length != file.Bytes)
                    {
                        throw new PullException($"{response.RequestMessage!.RequestUri!.Host} has {length} bytes where {file.Bytes} were announced: try another mirror.");
                    }

                    await CopyAsync(response, 0, file.Bytes, cancellationToken);
                    return;
                }
                catch (BrokenRangeException broken)
                {
                    await PauseAsync(broken.Fault, failures, random, cancellationToken);
                }
                catch (TransientPullException fault)
                {
                    await PauseAsync(fault, failures, random, cancellationToken);
                }
            }
        }

        /// <summary>Copies the body to its place; returns the end, or throws with the place where it broke. Records what is on disk either way.</summary>
        private async Task<long> CopyAsync(HttpResponseMessage response, long start, long end, CancellationToken cancellationToken)
        {
            var (at, recorded) = (start, start);
            var buffer = new byte[BufferBytes];
            try
            {
                await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
                while (at < end)
                {
                    var read = await ReadAsync(body, buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - at)), cancellationToken);
                    if (read == 0)
                    {
                        throw new IOException("the answer ended too early");
                    }

                    await settings.Write(target, buffer.AsMemory(0, read), at, cancellationToken);
                    at += read;
                    progress(read);
                    if (at - recorded >= settings.LimitsOf.RecordBytes)
                    {
                        Record(ref recorded, at);
                    }
                }
            }
            catch (Exception fault) when (fault is not DiskException && HubHttp.IsBroken(fault, cancellationToken))
            {
                throw new BrokenRangeException(at, new TransientPullException($"the connection to {response.RequestMessage!.RequestUri!.Host} broke", null, fault));
            }
            catch (DiskException fault)
            {
                throw new IOException($"{fault.InnerException!.Message} Make room and run the same command again; what has arrived is kept.", fault.InnerException);
            }
            finally
            {
                Record(ref recorded, at);
            }

            return at;
        }

        private void Record(ref long recorded, long at)
        {
            if (at > recorded)
            {
                RandomAccess.FlushToDisk(target);
                journal.Add(recorded, at);
                recorded = at;
            }
        }

        private async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            stall.CancelAfter(settings.LimitsOf.Stall);
            return await body.ReadAsync(buffer, stall.Token);
        }
    }

    /// <summary>A connection broke at this place.</summary>
    private sealed class BrokenRangeException(long at, TransientPullException fault) : Exception(fault.Message, fault)
    {
        public long At { get; } = at;

        public TransientPullException Fault { get; } = fault;
    }

    /// <summary>Told apart from faults of the network, which are worth another try.</summary>
    private sealed class DiskException(IOException fault) : Exception(fault.Message, fault);

    private HubHttp Http => http;

    private DownloadLimits LimitsOf => limits;

    private TimeProvider Time => time;

    private int Seed => seed;

    private async ValueTask Write(SafeFileHandle file, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellationToken)
    {
        try
        {
            await _write(file, bytes, offset, cancellationToken);
        }
        catch (IOException fault)
        {
            throw new DiskException(fault);
        }
    }
}
