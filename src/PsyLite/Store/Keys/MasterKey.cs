using System.Security.Cryptography;

namespace PsyLite.Store.Keys;

/// <summary>A key that wraps the keys of conversations and nothing else. Its id tells nothing about it.</summary>
internal sealed class MasterKey
{
    public const int Length = 32;
    private readonly byte[] _bytes;

    public MasterKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new StoreException($"a master key has {Length} bytes, this one has {bytes.Length}; make one with: openssl rand -base64 {Length}");
        }

        _bytes = bytes.ToArray();
        Id = Convert.ToHexStringLower(HMACSHA256.HashData(_bytes, "psylite master key id"u8)[..8]);
    }

    public string Id { get; }

    public static MasterKey Create() => new(RandomNumberGenerator.GetBytes(Length));

    public static MasterKey Parse(string base64)
    {
        try
        {
            return new MasterKey(Convert.FromBase64String(base64.Trim()));
        }
        catch (FormatException fault)
        {
            throw new StoreException($"a master key is not base64; make one with: openssl rand -base64 {Length}", fault);
        }
    }

    public string ToBase64() => Convert.ToBase64String(_bytes);

    /// <param name="owner">The record that the data key belongs to; the wrapped key opens under no other name.</param>
    public byte[] Wrap(DataKey key, string owner) => SealedBox.Seal(_bytes, key.Bytes, Binding(owner));

    public DataKey Unwrap(ReadOnlySpan<byte> wrapped, string owner) => new(SealedBox.Open(_bytes, wrapped, Binding(owner)));

    private string Binding(string owner) => $"psylite key 1|{Id}|{owner}";
}
