namespace PsyLite.Engine;

/// <summary>Where conversations' keys and values are kept when memory has no room for them, and over restarts.</summary>
public sealed record EngineCacheOptions
{
    /// <summary>A folder of this program's own; made when it does not exist.</summary>
    public required string Folder { get; init; }

    /// <summary>Bytes that its files may take together; the longest unused go first.</summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>
    /// 32 bytes that the files are encrypted with (AES-256-GCM): they tell what was said. Null takes a random key that lies in
    /// the folder, for the owner's eyes only.
    /// </summary>
    public byte[]? Key { get; init; }

    /// <summary>Shorter conversations are sooner computed than read; null lets the model's size decide.</summary>
    public int? LeastTokens { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
