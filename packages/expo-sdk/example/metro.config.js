const { resolve } = require('node:path')
const { getDefaultConfig } = require('expo/metro-config')

const config = getDefaultConfig(__dirname)

// The SDK is a link to the folder above, which has no packages of its own. An app that installs it
// from a registry needs nothing of this file.
config.watchFolders = [resolve(__dirname, '..')]
config.resolver.nodeModulesPaths = [resolve(__dirname, 'node_modules')]

module.exports = config
