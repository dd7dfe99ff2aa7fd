using System.Security.Cryptography;

namespace PsyLite.Store.Keys;

/// <summary>The master keys that are known: the one in force first, then those that some data keys may still be wrapped with.</summary>
internal sealed class KeyRing
{
    private readonly IReadOnlyList<MasterKey> _keys;

    public KeyRing(IReadOnlyList<MasterKey> keys)
    {
        _keys = keys.Count > 0 ? keys : throw new StoreException("there is no master key.");
    }

    public MasterKey Current => _keys[0];

    public IReadOnlyList<MasterKey> Older => [.. _keys.Skip(1)];

    public MasterKey? Find(string id) => _keys.FirstOrDefault(k => k.Id == id);

    /// <summary>A new key in force; those before it stay until nothing is wrapped with them.</summary>
    public KeyRing WithNew() => new([MasterKey.Create(), .. _keys]);

    public KeyRing CurrentOnly() => new([Current]);

    /// <summary>Keys in base64, separated by commas or line ends.</summary>
    public static KeyRing Parse(string text) =>
        new([.. text.Split([',', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(l => !l.StartsWith('#')).Select(MasterKey.Parse)]);

    public override string ToString() => string.Join('\n', _keys.Select(k => k.ToBase64())) + "\n";
}

/// <summary>Where the ring is kept: a file that only its owner can read, or the environment, which this program cannot change.</summary>
internal sealed class KeySource
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly KeyRing? _given;

    private KeySource(string? path, KeyRing? given)
    {
        Path = path;
        _given = given;
    }

    /// <summary>Null when the keys came from the environment.</summary>
    public string? Path { get; }

    public string Description => Path ?? "PSYLITE_STORE_KEY";

    public bool Exists => _given is not null || File.Exists(Path);

    public static KeySource FromFile(string path) => new(path, null);

    public static KeySource FromText(string keys) => new(null, KeyRing.Parse(keys));

    public KeyRing Read()
    {
        if (_given is not null)
        {
            return _given;
        }

        try
        {
            // A copy from a backup may have come back readable by others.
            if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(Path!) != OwnerOnly)
            {
                File.SetUnixFileMode(Path!, OwnerOnly);
            }

            return KeyRing.Parse(File.ReadAllText(Path!));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"the key file {Path} cannot be read ({fault.Message.ReplaceLineEndings(" ")}); without it no conversation opens.", fault);
        }
    }

    /// <summary>The first ring of a new store. Two programs that start at once agree on one.</summary>
    public KeyRing ReadOrCreate()
    {
        if (!Exists)
        {
            var first = new KeyRing([MasterKey.Create()]);
            var partial = WritePartial(first);
            try
            {
                File.Move(partial, Path!, overwrite: false);
            }
            catch (IOException) when (File.Exists(Path))
            {
                File.Delete(partial);
            }
        }

        return Read();
    }

    /// <summary>Replaces the file as a whole: after a crash either the earlier ring or this one is there.</summary>
    public void Write(KeyRing ring)
    {
        if (Path is null)
        {
            throw new StoreException("the master key comes from PSYLITE_STORE_KEY: put a new one in front of it there, separated by a comma, and run this again.");
        }

        File.Move(WritePartial(ring), Path, overwrite: true);
    }

    private string WritePartial(KeyRing ring)
    {
        var partial = $"{Path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.partial";
        OwnerOnlyFile.Write(partial, ring.ToString());
        return partial;
    }
}
