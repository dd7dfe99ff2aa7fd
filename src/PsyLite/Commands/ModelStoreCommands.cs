using System.CommandLine;
using System.Globalization;
using PsyLite.ModelStore;
using PsyLite.Options;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary><c>psylite model pull|list|rm</c>: models from elsewhere, kept in a folder of one's own.</summary>
internal static class ModelStoreCommands
{
    public static Command Pull()
    {
        var reference = new Argument<string>("reference") { Description = "name:tag, namespace/name:tag, hf:owner/repo@commit/file.gguf" };
        var mirror = new Option<string?>("--mirror") { Description = "镜像地址 · address of a mirror (PSYLITE_MIRROR)" };
        var command = new Command("pull", "下载模型，可断点续传 · pull a model; an interrupted pull goes on where it stopped\n  psylite model pull Juneup/internlm2.5_7b_distill:orpo_q4_k_m\n  psylite model pull hf:owner/repo@commit/file.gguf --mirror https://hf-mirror.com") { reference, mirror };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = AppOptions.FromEnvironment();
            var wanted = ModelReference.Parse(parsed.GetRequiredValue(reference));
            var sources = new PullSources(Address(parsed.GetValue(mirror) ?? options.Mirror), Address(options.HuggingFace)!, options.HuggingFaceToken);
            var folder = new ModelFolder(options.Models);
            Directory.CreateDirectory(folder.Root);
            var pulled = await new ModelPull(folder, sources, new DownloadLimits(), TimeProvider.System, Environment.ProcessId).RunAsync(wanted, new Watch(), cancellationToken);
            Console.WriteLine($"{pulled.Id}  {pulled.Quantization}  {Size(pulled.Model.Bytes)}  {pulled.Revision}");
            Console.WriteLine($"./psylite serve --model {pulled.Id}");
            return CommandBoundary.Done;
        });
        return command;
    }

    public static Command List()
    {
        var command = new Command("list", "列出已下载的模型 · list the pulled models\n  psylite model list");
        command.SetAction(_ =>
        {
            var folder = new ModelFolder(AppOptions.FromEnvironment().Models);
            foreach (var model in folder.List())
            {
                Console.WriteLine(string.Join('\t', model.Id, Size(model.Model.Bytes), model.Quantization, model.ContextLength, model.Licence ?? "-", model.PulledAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
            }

            if (folder.Unfinished() is { Count: > 0 } partial)
            {
                Console.Error.WriteLine($"{partial.Count} 个未完成的下载，再次 pull 继续，或 rm --unfinished 删除 · unfinished: pull again to go on, or remove them with psylite model rm --unfinished");
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    public static Command Remove()
    {
        var id = new Argument<string?>("id") { Description = "模型名 · name, as psylite model list shows it", Arity = ArgumentArity.ZeroOrOne };
        var unfinished = new Option<bool>("--unfinished") { Description = "删除未完成的下载 · the unfinished downloads" };
        var yes = new Option<bool>("--yes", "-y") { Description = "不再询问 · do not ask" };
        var command = new Command("rm", "删除已下载的模型 · remove a pulled model\n  psylite model rm Juneup/internlm2.5_7b_distill:orpo_q4_k_m --yes") { id, unfinished, yes };
        command.Validators.Add(result =>
        {
            if (result.GetValue(id) is null != result.GetValue(unfinished))
            {
                result.AddError("请给出模型名或 --unfinished · name a model, or give --unfinished");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = new ModelFolder(AppOptions.FromEnvironment().Models);
            if (parsed.GetValue(unfinished))
            {
                return RemoveUnfinished(folder, parsed.GetValue(yes));
            }

            var name = parsed.GetValue(id)!;
            var model = folder.Find(name) ?? throw new FileNotFoundException($"there is no pulled model {name}: see psylite model list.");
            if (!parsed.GetValue(yes) && !Confirms($"{model.Id} ({Size(model.Model.Bytes)})"))
            {
                return CommandBoundary.Failed;
            }

            using (await folder.LockAsync(model.Model.Sha256, () => Console.Error.WriteLine("psylite: waiting for a pull of this model to end"), cancellationToken))
            {
                folder.Remove(model);
            }

            Console.WriteLine($"{model.Id}: 已删除 removed");
            return CommandBoundary.Done;
        });
        return command;
    }

    private static int RemoveUnfinished(ModelFolder folder, bool isSure)
    {
        var files = folder.Unfinished();
        if (files.Count == 0 || (!isSure && !Confirms(string.Join(", ", files.Select(f => f.Name)))))
        {
            return files.Count == 0 ? CommandBoundary.Done : CommandBoundary.Failed;
        }

        foreach (var file in files)
        {
            folder.RemoveUnfinished(file);
        }

        return CommandBoundary.Done;
    }

    private static bool Confirms(string what)
    {
        if (Console.IsInputRedirected)
        {
            throw new InvalidOperationException("nobody is there to ask; add --yes to remove it.");
        }

        return AnsiConsole.Confirm($"删除 remove {Markup.Escape(what)}?", defaultValue: false);
    }

    private static Uri? Address(string? text) => text is null ? null
        : Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address
        : throw new InvalidDataException($"{text} is not an address; write it as https://hf-mirror.com.");

    private static string Size(long bytes) => bytes >= 1_000_000_000 ? $"{bytes / 1e9:0.00} GB" : $"{bytes / 1e6:0.0} MB";

    /// <summary>Says on standard error what is being pulled, and draws a bar on a terminal.</summary>
    private sealed class Watch : IPullWatch
    {
        public void Resolved(ResolvedModel model) => Console.Error.WriteLine($"psylite: {model.Id} @ {model.Revision}");

        public void Waiting() => Console.Error.WriteLine("psylite: 另一个进程正在下载，等待 · another process pulls this model; waiting for it");

        public IPullMeter Begin(RemoteFile file, long alreadyHere) => new TransferBar(file.Role, file.Bytes, alreadyHere);
    }
}
