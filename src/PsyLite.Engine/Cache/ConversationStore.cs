using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>A conversation on disk.</summary>
internal sealed record StoredConversation(string Path, int[] Tokens, long Bytes)
{
    public int Length => Tokens.Length;
}

/// <summary>
/// Conversations that memory had no room for, and those of earlier runs: found again by their tokens. A cache and no more: what
/// cannot be read or written is as if it had never been. For the decoding thread alone.
/// </summary>
internal sealed class ConversationStore : IDisposable
{
    private const string Extension = ".psykv";

    /// <summary>Below this many tokens computing is as fast as reading.</summary>
    private const int LeastTokensSmall = 256;
    private const int LeastTokensLarge = 64;

    /// <summary>Tokens whose states lie in memory at once while a shared pool's conversation is written.</summary>
    private const int PartTokens = 32;
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    private readonly EngineCacheOptions options;
    private readonly ContextHandle context;
    private readonly int? spare;
    private readonly int least;
    private readonly byte[] identity;
    private readonly byte[] key;
    private readonly NativeThread disk = new("conversations");
    private readonly Lock gate = new();
    private readonly List<StoredConversation> known = [];
    private byte[] state = [];

    private ConversationStore(EngineCacheOptions options, ContextHandle context, int? spare, int least, byte[] identity, byte[] key)
    {
        this.options = options;
        this.context = context;
        this.spare = spare;
        this.least = least;
        this.identity = identity;
        this.key = key;
    }

    /// <param name="spare">A sequence for parts of conversations; null writes them whole, where sequences share no cells.</param>
    /// <returns>Null when the folder cannot be used.</returns>
    public static ConversationStore? Open(EngineCacheOptions options, LlamaModel model, ContextHandle context, int? spare)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(options.Folder);
            }
            else
            {
                Directory.CreateDirectory(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            var key = options.Key ?? CacheKey.Of(options.Folder);
            var store = new ConversationStore(
                options, context, spare, options.LeastTokens ?? (model.IsSmall ? LeastTokensSmall : LeastTokensLarge), ModelIdentity.Of(model), key);
            store.Scan();
            return store;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool IsWorthKeeping(CachedSequence sequence) => sequence.Kept >= least && sequence.Stored < sequence.Kept;

    /// <summary>The conversation that begins like the prompt for longest, if by enough more tokens than are at hand.</summary>
    public StoredConversation? Find(ReadOnlySpan<int> prompt, int atHand)
    {
        StoredConversation? best = null;
        lock (gate)
        {
            foreach (var candidate in known)
            {
                var shared = prompt.CommonPrefixLength(candidate.Tokens);
                if (shared >= atHand + least)
                {
                    best = candidate;
                    atHand = shared;
                }
            }
        }

        return best;
    }

    /// <summary>Fills an empty sequence with a stored conversation; false when its file turns out to be of no use.</summary>
    public bool Restore(StoredConversation stored, CachedSequence target, SequencePool pool)
    {
        try
        {
            using var file = File.OpenRead(stored.Path);
            var (blocks, tokens, part) = ConversationFile.Open(file, identity, key);
            using (blocks)
            {
                for (var from = 0; from < tokens.Length; from += part)
                {
                    var to = Math.Min(from + part, tokens.Length);
                    if (!Place(blocks.Read(), target.Id, from, to))
                    {
                        throw new InvalidDataException("llama.cpp does not take this state.");
                    }
                }

                if (context.Count(target.Id) != tokens.Length)
                {
                    throw new InvalidDataException("The states are not those of the tokens.");
                }

                pool.Append(target, tokens);
                target.Kept = target.Stored = tokens.Length;
            }

            File.SetLastWriteTimeUtc(stored.Path, options.Clock.GetUtcNow().UtcDateTime);
            return true;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            context.Truncate(target.Id, 0);
            Forget(stored);
            return false;
        }
    }

    /// <summary>Writes what a sequence holds. Its state is taken now; reaching the disk is waited for elsewhere.</summary>
    public void Save(CachedSequence sequence)
    {
        var tokens = CollectionsMarshal.AsSpan(sequence.Tokens).ToArray();
        var path = Path.Combine(options.Folder, Name(tokens) + Extension);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        FileStream? file = null;
        try
        {
            file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
            var part = spare is null ? tokens.Length : PartTokens;
            using (var blocks = ConversationFile.Begin(file, identity, key, tokens, part))
            {
                for (var from = 0; from < tokens.Length; from += part)
                {
                    blocks.Write(State(sequence.Id, from, Math.Min(from + part, tokens.Length)));
                }
            }

            sequence.Stored = tokens.Length;
            var written = file;
            _ = disk.RunAsync(() => Settle(written, temporary, new StoredConversation(path, tokens, written.Length)), CancellationToken.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            Delete(temporary);
        }
    }

    /// <summary>Waits until everything is on disk.</summary>
    public void Dispose() => disk.Dispose();

    /// <summary>The keys and values of some of a sequence's tokens, valid until the next call.</summary>
    private ReadOnlySpan<byte> State(int sequence, int from, int to)
    {
        if (spare is { } part)
        {
            context.CopySequence(sequence, part, from, to);
            sequence = part;
        }

        var size = context.StateSize(sequence);
        state = state.Length < size ? new byte[size] : state;
        var length = context.GetState(sequence, state);
        if (spare is not null)
        {
            context.Truncate(sequence, 0);
        }

        return state.AsSpan(0, length);
    }

    private bool Place(ReadOnlySpan<byte> state, int sequence, int from, int to)
    {
        if (spare is not { } part)
        {
            return context.SetState(sequence, state);
        }

        var placed = context.SetState(part, state) && context.Count(part) == to;
        context.CopySequence(part, sequence, from, to);
        context.Truncate(part, 0);
        return placed;
    }

    private bool Settle(FileStream file, string temporary, StoredConversation conversation)
    {
        try
        {
            using (file)
            {
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, conversation.Path, overwrite: true);
            File.SetLastWriteTimeUtc(conversation.Path, options.Clock.GetUtcNow().UtcDateTime);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Delete(temporary);
            return false;
        }

        List<StoredConversation> superseded;
        lock (gate)
        {
            superseded = [.. known.Where(k => k.Length <= conversation.Length && conversation.Tokens.AsSpan().StartsWith(k.Tokens))];
            known.RemoveAll(superseded.Contains);
            known.Add(conversation);
        }

        foreach (var old in superseded.Where(s => s.Path != conversation.Path))
        {
            Delete(old.Path);
        }

        KeepWithinLimit();
        return true;
    }

    /// <summary>The longest unused files go first.</summary>
    private void KeepWithinLimit()
    {
        var files = new DirectoryInfo(options.Folder).GetFiles($"*{Extension}").OrderByDescending(f => f.LastWriteTimeUtc).ToList();
        var total = 0L;
        foreach (var file in files)
        {
            total += file.Length;
            if (total > options.MaxBytes)
            {
                lock (gate)
                {
                    known.RemoveAll(k => k.Path == file.FullName);
                }

                Delete(file.FullName);
            }
        }
    }

    private void Scan()
    {
        var now = options.Clock.GetUtcNow().UtcDateTime;
        foreach (var path in Directory.GetFiles(options.Folder, $"*{Extension}.*.tmp").Where(p => now - File.GetLastWriteTimeUtc(p) > Abandoned))
        {
            Delete(path);
        }

        foreach (var path in Directory.GetFiles(options.Folder, $"*{Extension}"))
        {
            try
            {
                using var file = File.OpenRead(path);
                if (ConversationFile.IsFor(file, identity) == false)
                {
                    // Another model's; it serves again when that one is loaded, or ages out.
                    continue;
                }

                var (blocks, tokens, _) = ConversationFile.Open(file, identity, key);
                blocks.Dispose();
                known.Add(new StoredConversation(Path.GetFullPath(path), tokens, file.Length));
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                Delete(path);
            }
        }

        KeepWithinLimit();
    }

    private void Forget(StoredConversation stored)
    {
        lock (gate)
        {
            known.Remove(stored);
        }

        Delete(stored.Path);
    }

    /// <summary>Tells nothing of the conversation to who lacks the key.</summary>
    private string Name(int[] tokens)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(identity);
        hash.AppendData(MemoryMarshal.AsBytes<int>(tokens));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It stays for the next scan.
        }
    }
}
